import { systemCalls } from "../../config/system_calls.ts";

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

/** The number of `name`, or `undefined` where the machine has no such call. */
export function systemCallNumber(name: string, architecture: Architecture): number | undefined {
  const number = systemCalls().get(name)?.[architecture === "x86_64" ? 0 : 1] ?? -1;
  return number < 0 ? undefined : number;
}
