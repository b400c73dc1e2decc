import type { DenyReason } from "../../core/decision.ts";
import type { Denial, Draft } from "./draft.ts";

/**
 * What an operator who only observes wants to know of and not to feel. Everything
 * else denies there too: who calls, what is called and that it is recorded must be
 * certain, and no observation is worth the network of this machine.
 */
const OBSERVABLE: ReadonlySet<DenyReason> = new Set([
  "PolicyDenied",
  "ScopeViolation",
  "ToolNotInScope",
  "UnclassifiedIntent",
  "StepUpRequired",
  "Deferred",
]);

/** Whether a denial of this reason is one of policy, which observed sessions do not feel. */
export function isObservable(reason: DenyReason): boolean {
  return OBSERVABLE.has(reason);
}

/** Whether the call of `draft` goes out in spite of `denial`. */
export function isOnlyObserved(draft: Draft, denial: Denial): boolean {
  return draft.session.observed === true && draft.call !== undefined &&
    isObservable(denial.reason);
}
