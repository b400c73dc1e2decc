import type { CheckedContents } from "../config/checked_contents.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { MappingTable } from "../mapping/table.ts";
import { knownHosts, rememberHosts } from "./known_mapping.ts";
import type { MappingSource } from "./worker/messages.ts";

/** What the main thread needs of a mapping. */
export type Mapped = Pick<MappingTable, "hosts" | "size">;

/** Reads a mapping in full, unless it is known to be valid. */
export function readMapped(
  mapping: readonly MappingSource[],
  known?: CheckedContents,
): Result<Mapped, FirmaError[]> {
  const hosts = knownHosts(mapping, known);
  if (hosts) {
    let size: number | undefined;
    return ok({
      hosts,
      get size() {
        const count = () => {
          const table = MappingTable.parse(mapping, { checked: true });
          return table.ok ? table.value.size : 0;
        };
        return size ??= count();
      },
    });
  }
  const table = MappingTable.parse(mapping);
  if (table.ok) rememberHosts(mapping, table.value.hosts, known);
  return table;
}
