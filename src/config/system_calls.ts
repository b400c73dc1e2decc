import { programFile } from "./program_file.ts";

/** Numbers on x86-64 and aarch64, in this order; -1 where the machine has no such call. */
type Numbers = readonly [x86: number, aarch64: number];

let table: ReadonlyMap<string, Numbers> | undefined;

/** The system calls of Linux by name. Read at the first use: few configurations name any. */
export function systemCalls(): ReadonlyMap<string, Numbers> {
  if (table === undefined) {
    const text = Deno.readTextFileSync(programFile("packs/tables/system_calls.json"));
    const { numbers } = JSON.parse(text) as { readonly numbers: Record<string, Numbers> };
    table = new Map(Object.entries(numbers));
  }
  return table;
}
