import type { CheckedContents } from "../config/checked_contents.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { mappedHosts } from "../mapping/mapped_hosts.ts";
import { MappingTable } from "../mapping/table.ts";
import type { MappingSource } from "./worker/messages.ts";

/** What the main thread needs of a mapping. */
export type Mapped = Pick<MappingTable, "hosts" | "size">;

/** Reads a mapping in full, unless it is known to be valid: the worker does that too. */
export function readMapped(
  mapping: readonly MappingSource[],
  known?: CheckedContents,
): Result<Mapped, FirmaError[]> {
  if (known?.has(mapping)) {
    let size: number | undefined;
    return ok({
      hosts: mappedHosts(mapping),
      get size() {
        const count = () => {
          const table = MappingTable.parse(mapping);
          return table.ok ? table.value.size : 0;
        };
        return size ??= count();
      },
    });
  }
  const table = MappingTable.parse(mapping);
  if (table.ok) known?.add(mapping);
  return table;
}
