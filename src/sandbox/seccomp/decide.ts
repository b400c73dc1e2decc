import { type Condition, ERRORS, type RefusalError, type SeccompPolicy } from "./policy.ts";
import { type Architecture, AUDIT_ARCHITECTURE, systemCallNumber, X32_BIT } from "./syscalls.ts";

/** `struct seccomp_data`, as far as a policy looks at it. */
export interface CallData {
  readonly number: number;
  /** `AUDIT_ARCH_*` */
  readonly architecture: number;
  /** Six words of 64 bits; what is missing is 0. */
  readonly args: readonly bigint[];
}

/** What becomes of a call. */
export type Verdict = "allow" | "kill" | RefusalError;

/**
 * What a policy says of a call. This is what a compiled filter has to agree with; the kernel never
 * asks it.
 */
export function decideCall(
  policy: SeccompPolicy,
  architecture: Architecture,
  call: CallData,
): Verdict {
  if (call.architecture !== AUDIT_ARCHITECTURE[architecture]) return "kill";
  if (architecture === "x86_64" && call.number >>> 0 >= X32_BIT) return "kill";
  const rule = policy.rules.find(({ calls, when }) =>
    calls.some((name) => systemCallNumber(name, architecture) === call.number) &&
    when.every((condition) => holds(condition, call))
  );
  return rule === undefined ? "allow" : rule.error;
}

function holds({ argument, equals, except, anyBits }: Condition, { args }: CallData): boolean {
  const value = Number((args[argument] ?? 0n) & 0xffff_ffffn);
  if (equals !== undefined) return equals.includes(value);
  if (except !== undefined) return !except.includes(value);
  return (value & (anyBits ?? 0)) !== 0;
}

/** The verdict that a return value of a filter stands for. */
export function verdictOf(returned: number): Verdict | undefined {
  if (returned === 0x7fff0000) return "allow";
  if (returned === 0x80000000) return "kill";
  const names = Object.keys(ERRORS) as RefusalError[];
  return names.find((name) => returned === (0x00050000 | ERRORS[name]));
}
