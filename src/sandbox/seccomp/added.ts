import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { Artifact } from "./artifact.ts";
import { sealProgram } from "./build.ts";
import { compileSeccomp } from "./compile.ts";
import { parseSeccompPolicy, type SeccompPolicy } from "./policy.ts";
import { type Architecture, systemCallNumber } from "./syscalls.ts";

/** What an operator refuses beyond what every agent is refused. */
export interface AddedRefusals {
  /** Names of system calls, checked. */
  readonly deny: readonly string[];
  /** A policy of the operator's. */
  readonly policy?: { readonly file: string; readonly text: string };
}

/** More instructions than this the kernel takes for no filter (`BPF_MAXINSNS`). */
const MOST_INSTRUCTIONS = 4096;

/** The refusals as one policy: the file first, because its rules can tell more. */
export function addedPolicy(
  { deny, policy }: AddedRefusals,
): Result<SeccompPolicy, readonly FirmaError[]> {
  const file = policy === undefined ? undefined : parseSeccompPolicy(policy.text, policy.file);
  if (file !== undefined && !file.ok) return file;
  const listed = { why: "deny of [run.seccomp]", calls: deny, when: [], error: "EPERM" } as const;
  return ok({
    id: file?.value.id ?? "added",
    version: file?.value.version ?? 1,
    rules: [...file?.value.rules ?? [], ...(deny.length > 0 ? [listed] : [])],
  });
}

/**
 * Compiles the refusals into a filter of its own. The kernel runs it beside the built-in one and
 * does what the stricter of the two answers, so that nothing in it can permit anything.
 */
export async function addedFilter(
  refusals: AddedRefusals,
  architecture: Architecture,
): Promise<Result<Artifact, readonly FirmaError[]>> {
  const policy = addedPolicy(refusals);
  if (!policy.ok) return policy;
  const file = refusals.policy?.file;
  try {
    const program = compileSeccomp(policy.value, architecture);
    if (program.length / 8 <= MOST_INSTRUCTIONS) return ok(await sealProgram(program));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  return err([{
    code: "SECCOMP_POLICY_TOO_LARGE",
    message: `Cannot compile "${file ?? "run.seccomp.deny"}": it is more than the kernel takes`,
    cure: "give each call fewer rules and values",
    ...(file !== undefined && { at: { file } }),
  }]);
}

/** A call that is refused, for an operator to read. */
export interface DescribedRefusal {
  readonly call: string;
  readonly error: string;
  readonly why: string;
}

/** Each refused call, once for each rule that refuses it. */
export function describeRefusals(
  { rules }: SeccompPolicy,
  architecture: Architecture,
): DescribedRefusal[] {
  return rules.flatMap(({ calls, when, error, why }) =>
    calls.map((call) => {
      const there = systemCallNumber(call, architecture) !== undefined;
      const told = when.length > 0 ? `${why} (by its arguments)` : why;
      return { call, error, why: there ? told : `${told}; this machine has no such call` };
    })
  );
}
