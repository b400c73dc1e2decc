import type { CheckedContents } from "../config/checked_contents.ts";
import { actionClasses } from "../core/action_class.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { MappingTable } from "../mapping/table.ts";
import type { MappingSource } from "./worker/messages.ts";

/** What the main thread needs of a mapping. */
export type Mapped = Pick<MappingTable, "hosts" | "size">;

/** Reads a mapping in full, unless it is known to be valid. */
export function readMapped(
  mapping: readonly MappingSource[],
  known?: CheckedContents,
): Result<Mapped, FirmaError[]> {
  // A mapping is valid as long as the classes that it names are registered.
  const content = [mapping, actionClasses().map(({ name }) => name)];
  const hosts = known?.get(content);
  if (isTexts(hosts)) {
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
  if (table.ok) known?.add(content, table.value.hosts);
  return table;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
