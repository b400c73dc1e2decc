import type { DenyReason } from "../core/decision.ts";
import type { CompiledPolicy } from "./compile.ts";

/**
 * What a call that policies deny would need, for it would be permitted otherwise: each
 * policy that forbids it names a remedy, and at least one policy permits it.
 */
export interface Remedy {
  /** What a person has to approve, sorted, each once; none when nobody is to be asked. */
  readonly challenges: readonly string[];
  /** How long the call is put off, in milliseconds; `0` when it is not. */
  readonly deferMs: number;
  /** Header names (lower case, sorted) that the call must not carry. */
  readonly dropHeaders: readonly string[];
}

/** What the policies say to a call. */
export interface PolicyDecision {
  readonly decision: "allow" | "deny";
  /** `""` when the call is allowed. */
  readonly reason: DenyReason | "";
  /** The policies that determined the decision, sorted; none when nothing permits. */
  readonly policyIds: readonly string[];
  /** What went wrong while deciding, for the operator. Anything here denies. */
  readonly errors: readonly string[];
  /** With a denial that can be lifted. */
  readonly remedy?: Remedy;
  /** Says more of a denial, for the operator. */
  readonly hint?: string;
}

/** Denies because the call could not be decided. */
export function failClosed(
  errors: readonly string[],
  policyIds: readonly string[] = [],
): PolicyDecision {
  return { decision: "deny", reason: "FailClosed", policyIds, errors };
}

/**
 * The denial by the given policies, which forbid the call. A flat `forbid` is final;
 * next comes a step-up, then a deferral, then a change of the call. What one of those
 * lifts is the `forbid` and no more: `isPermitted` says whether another policy permits
 * the call, and is asked only where that matters.
 */
export function denyBy(
  forbids: readonly CompiledPolicy[],
  isPermitted: () => boolean,
): PolicyDecision {
  const policyIds = forbids.map(({ id }) => id).sort();
  const denial = { decision: "deny", reason: "PolicyDenied", policyIds, errors: [] } as const;
  const remedy = remedyOf(forbids);
  if (remedy === undefined) return denial;
  if (!isPermitted()) return { ...denial, hint: "no policy permits it, approved or not" };
  const { challenges, deferMs } = remedy;
  const reason = challenges.length > 0
    ? "StepUpRequired"
    : deferMs > 0
    ? "Deferred"
    : "PolicyDenied";
  return { ...denial, reason, remedy };
}

/** `undefined` when one of the policies forbids flatly, and when there are none. */
function remedyOf(forbids: readonly CompiledPolicy[]): Remedy | undefined {
  const challenges = new Set<string>();
  const dropHeaders = new Set<string>();
  let deferMs = 0;
  for (const { remediation } of forbids) {
    switch (remediation?.kind) {
      case undefined:
        return undefined;
      case "step_up":
        challenges.add(remediation.challenge);
        break;
      case "defer":
        deferMs = Math.max(deferMs, remediation.milliseconds);
        break;
      case "modify":
        dropHeaders.add(remediation.dropHeader);
    }
  }
  if (forbids.length === 0) return undefined;
  return { challenges: [...challenges].sort(), deferMs, dropHeaders: [...dropHeaders].sort() };
}
