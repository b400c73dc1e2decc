import { type Decision, denialDecision } from "../../core/decision.ts";
import type { DecisionEvent, ExecutionEvent } from "../../core/event.ts";
import { newId } from "../../core/id.ts";
import { timestamp } from "../../core/timestamp.ts";
import { isMethod } from "../../mapping/method.ts";
import type { CallInput } from "../gate.ts";
import type { Denial, Draft, SessionView } from "./draft.ts";
import { resourceId } from "./envelope.ts";

/**
 * Nobody takes records any more, because this thread is being ended, which takes a moment. Until
 * then nothing may leave it, and no agent be answered: the connection breaks instead.
 */
export class RecordingEnded extends Error {
  override readonly name = "RecordingEnded";
}

/** Where events go on their way to the audit log. */
export interface EventSink {
  /** Whether the log can take the record of one more call. While not, no call may leave. */
  accepts(): boolean;
  /**
   * `undefined` while the log keeps up. Else resolves when it has caught up or cannot be waited
   * for: calls that come faster than they can be recorded are slowed down before they are denied.
   */
  relief(): Promise<void> | undefined;
  /**
   * Queues an event. `now`: it is handed over before this returns, so that neither a call
   * leaves nor an agent sees an answer of which there is no record.
   *
   * @throws {RecordingEnded}
   */
  push(event: ExecutionEvent, urgency: "now" | "soon"): void;
  /**
   * Where the log has to be durable: resolves when the event that was pushed last is on the disk;
   * with `false`, when the log fails before that, and the call that it speaks of must not leave.
   * `undefined`: there is nothing to wait for.
   */
  recorded(): Promise<boolean> | undefined;
  /** Counts a denial that could not be recorded. */
  lose(): void;
}

/** What an agent sent may be long; the record of it is not. */
const LONGEST_RESOURCE = 4096;

/** The record of one decision. */
export function decisionEvent(
  draft: Draft,
  outcome: {
    readonly denial: Denial | undefined;
    readonly bundleVersion: string;
    readonly latencyUs: number;
    /** The call goes out in spite of `denial`. */
    readonly observed?: boolean;
  },
): DecisionEvent {
  const { denial, observed = false } = outcome;
  const { envelope, session, input } = draft;
  const decision = decisionOf(draft, denial);
  const approvalId = denial?.approval?.id ?? draft.approvalId;
  const inNameOnly = observed || (decision === "MODIFY" && session.observed === true);
  const context = envelope === undefined ? { provenance: input.peer.provenance } : { envelope };
  return {
    ...eventBase(session),
    kind: "decision",
    decision,
    ...(inNameOnly && { enforced: false }),
    deny_reason: denial?.reason ?? "",
    detail: denial?.detail ?? modification(draft),
    ...(approvalId !== undefined && { approval_id: approvalId }),
    action_class: draft.rule?.actionClass ?? rawActionClass(draft),
    resource: recordedResource(draft),
    method: recordedMethod(input),
    token_id: draft.claims?.token_id ?? "",
    bundle_version: outcome.bundleVersion,
    policy_ids: draft.policyIds ?? [],
    latency_us: outcome.latencyUs,
    ...context,
  };
}

/** What is recorded and told as the decision about a call. */
export function decisionOf(draft: Draft, denial: Denial | undefined): Decision {
  if (denial !== undefined) return denialDecision(denial.reason);
  if (draft.passthrough) return "PASSTHROUGH";
  return draft.remedy !== undefined && draft.remedy.dropHeaders.length > 0 ? "MODIFY" : "ALLOW";
}

function modification({ remedy }: Draft): string {
  return (remedy?.dropHeaders ?? []).map((name) => `redacted_header:${name}`).join("; ");
}

/** The members that every event has. */
export function eventBase(
  session: Pick<SessionView, "sandboxId" | "sessionId" | "agentId">,
): Pick<ExecutionEvent, "event_id" | "timestamp" | "sandbox_id" | "session_id" | "agent_id"> {
  return {
    event_id: newId("aevt"),
    timestamp: timestamp(),
    sandbox_id: session.sandboxId,
    session_id: session.sessionId,
    agent_id: session.agentId,
  };
}

/** The class of what could not be classified; made of known words only. */
function rawActionClass({ transport, input }: Draft): string {
  if (transport === "connect") return "network.connect";
  return `raw.http.${isMethod(input.method) ? input.method : "OTHER"}`;
}

function recordedResource({ call, input }: Draft): string {
  const text = call === undefined
    ? `${input.authority ?? ""}${input.target}`
    : resourceId(call) + call.query;
  return text.length > LONGEST_RESOURCE ? `${text.slice(0, LONGEST_RESOURCE)}…` : text;
}

function recordedMethod({ method }: CallInput): string {
  return method.length > 32 ? `${method.slice(0, 32)}…` : method;
}
