import type { CheckedContents } from "../config/checked_contents.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { knownMapping, type Mapped, rememberMapping } from "./known_mapping.ts";
import type { MappingSource } from "./worker/messages.ts";

/**
 * Reads a mapping in full, unless it is known to be valid. What reads it is most of the code that
 * decodes calls, which the main thread loads for this alone.
 */
export async function readMapped(
  mapping: readonly MappingSource[],
  known?: CheckedContents,
): Promise<Result<Mapped, FirmaError[]>> {
  const remembered = knownMapping(mapping, known);
  if (remembered) return ok(remembered);
  const { MappingTable } = await import("../mapping/table.ts");
  const table = MappingTable.parse(mapping);
  if (table.ok) rememberMapping(mapping, table.value, known);
  return table;
}
