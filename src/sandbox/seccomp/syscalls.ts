import table from "../../../packs/tables/system_calls.json" with { type: "json" };

/** The machines that firma knows the system calls of. */
export type Architecture = "x86_64" | "aarch64";

/** All of them. */
export const ARCHITECTURES: readonly Architecture[] = ["x86_64", "aarch64"];

/** `AUDIT_ARCH_*` of linux/audit.h. */
export const AUDIT_ARCHITECTURE: Readonly<Record<Architecture, number>> = {
  x86_64: 0xc000003e,
  aarch64: 0xc00000b7,
};

/** x86-64 calls with this bit are the x32 ABI: the same architecture word, other numbers. */
export const X32_BIT = 0x40000000;

const NUMBERS = new Map<string, readonly number[]>(Object.entries(table.numbers));

/** Tells whether any machine has a system call of this name. */
export function isSystemCall(name: string): boolean {
  return NUMBERS.has(name);
}

/** The number of `name`, or `undefined` where the machine has no such call. */
export function systemCallNumber(name: string, architecture: Architecture): number | undefined {
  const number = NUMBERS.get(name)?.[architecture === "x86_64" ? 0 : 1] ?? -1;
  return number < 0 ? undefined : number;
}
