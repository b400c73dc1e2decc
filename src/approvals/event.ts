import type { ApprovalEvent } from "../core/event.ts";
import { newId } from "../core/id.ts";
import { timestamp } from "../core/timestamp.ts";
import { type Approval, type ApprovalChange, NO_END_MS } from "./approval.ts";
import { approvalText } from "./text.ts";

/** The record of a change that makes an approval what `after` is. */
export function approvalEvent(change: ApprovalChange, after: Approval): ApprovalEvent {
  const { subject, grant, untilMs } = after;
  const lasts = change.change === "requested" || change.change === "approved" ||
    change.change === "denied";
  return {
    event_id: newId("aevt"),
    timestamp: timestamp(change.atMs),
    sandbox_id: subject.sandboxId,
    session_id: subject.sessionId,
    agent_id: subject.agentId,
    kind: "approval",
    change: change.change,
    approval_id: after.id,
    action_class: subject.actionClass,
    policy_ids: subject.policyIds,
    // What somebody saw when they decided is part of what they decided.
    shown: lasts ? approvalText(subject) : "",
    detail: detailOf(change),
    ...("by" in change && { by: change.by }),
    ...(change.change === "approved" && { grant: grant! }),
    ...(lasts && untilMs !== NO_END_MS && { until: new Date(untilMs).toISOString() }),
  };
}

function detailOf(change: ApprovalChange): string {
  if ("reason" in change) return change.reason;
  return "detail" in change ? change.detail : "";
}
