import assert from "node:assert/strict";
import type { HttpCall } from "../../src/core/envelope.ts";
import type { FirmaError, Result } from "../../src/core/result.ts";
import { normaliseCall } from "../../src/mapping/call.ts";
import { MappingTable, type MappingTableOptions } from "../../src/mapping/table.ts";

/** A table from the text of one file. */
export function table(text: string, options?: MappingTableOptions): MappingTable {
  return tableOf({ "rules.toml": text }, options);
}

/** A table from files by name. */
export function tableOf(
  files: Readonly<Record<string, string>>,
  options?: MappingTableOptions,
): MappingTable {
  const list = Object.entries(files).map(([file, text]) => ({ file, text }));
  const parsed = MappingTable.parse(list, options);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.error.map((error) => error.message).join("\n"));
  return parsed.value;
}

/** The faults of one file. */
export function faults(text: string, options?: MappingTableOptions): FirmaError[] {
  const parsed = MappingTable.parse([{ file: "rules.toml", text }], options);
  assert.ok(!parsed.ok, "the file was taken");
  return parsed.error;
}

/** The canonical call for `METHOD URL`. */
export function call(method: string, url: string): HttpCall {
  const match = /^(https?):\/\/([^/]+)(.*)$/.exec(url);
  assert.ok(match, url);
  const [, scheme, authority, target] = match;
  const result = normaliseCall({
    method,
    scheme: scheme as "http" | "https",
    authority: authority!,
    target: target!,
  });
  assert.ok(result.ok, result.ok ? "" : result.error.message);
  return result.value;
}

/** The class that a table gives to `METHOD URL`; `-` when the call is not mapped. */
export function classOf(table: MappingTable, method: string, url: string): string {
  return table.match(call(method, url))?.actionClass ?? "-";
}

/** The value of a result that must be one. */
export function must<T>(result: Result<T, unknown>): T {
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.error));
  return result.value;
}
