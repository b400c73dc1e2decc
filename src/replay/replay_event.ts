import { type Decision, denialDecision, type DenyReason } from "../core/decision.ts";
import type { DecisionEvent, ExecEvent } from "../core/event.ts";
import { type Decider, judge } from "../sidecar/pipeline/policy.ts";

/** What was decided: a call, or the execution of a program. */
export type DecidedEvent = DecisionEvent | ExecEvent;

/** What policies say to a call. */
export interface Judged {
  readonly decision: Decision;
  /** The policies that determined it, sorted; none when nothing permits. */
  readonly policyIds: readonly string[];
}

/** A recorded decision beside what other policies decide of the same envelope. */
export interface Replayed {
  readonly was: Judged;
  readonly now: Judged;
}

/** Reasons that policies give; any other was found before they were asked, or after. */
const BY_POLICY: ReadonlySet<DenyReason | ""> = new Set<DenyReason | "">([
  "",
  "PolicyDenied",
  "StepUpRequired",
  "Deferred",
  "FailClosed",
]);

/**
 * Decides a recorded call again, from its envelope alone. `undefined` where policies had no say in
 * it: it was refused before they were asked, or let through without them.
 */
export function replayEvent(event: DecidedEvent, engine: Decider): Replayed | undefined {
  const { envelope, deny_reason, decision, approval_id } = event;
  if (envelope === undefined || decision === "PASSTHROUGH" || !BY_POLICY.has(deny_reason)) {
    return undefined;
  }
  const { denial, policyIds, remedy } = judge(engine, envelope);
  const changes = remedy !== undefined && remedy.dropHeaders.length > 0;
  const now = denial ? denialDecision(denial.reason) : changes ? "MODIFY" : "ALLOW";
  // What a person let through was a question to the policies, and is one again.
  const asked = approval_id !== undefined && decision === "ALLOW";
  return {
    was: { decision: asked ? "STEP_UP" : decision, policyIds: event.policy_ids },
    now: { decision: now, policyIds },
  };
}
