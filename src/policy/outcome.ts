import type { DenyReason } from "../core/decision.ts";
import type { CompiledPolicy } from "./compile.ts";

/** What the policies say to a call. */
export interface PolicyDecision {
  readonly decision: "allow" | "deny";
  /** `""` when the call is allowed. */
  readonly reason: DenyReason | "";
  /** The policies that determined the decision, sorted; none when nothing permits. */
  readonly policyIds: readonly string[];
  /** What went wrong while deciding, for the operator. Anything here denies. */
  readonly errors: readonly string[];
}

/** Denies because the call could not be decided. */
export function failClosed(
  errors: readonly string[],
  policyIds: readonly string[] = [],
): PolicyDecision {
  return { decision: "deny", reason: "FailClosed", policyIds, errors };
}

/**
 * Why the given policies deny. A flat `forbid` is final; next a step-up, then a
 * deferral. A call that could only go ahead modified does not go ahead.
 */
export function denyReason(determining: readonly CompiledPolicy[]): DenyReason {
  const kinds = determining.map(({ remediation }) => remediation?.kind);
  if (kinds.length === 0 || kinds.includes(undefined)) return "PolicyDenied";
  if (kinds.includes("step_up")) return "StepUpRequired";
  return kinds.includes("defer") ? "Deferred" : "PolicyDenied";
}
