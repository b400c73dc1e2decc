import type { ApprovalDesk } from "../../approvals/answer.ts";
import type { ApprovalSubject } from "../../approvals/subject.ts";
import type { ActionClass } from "../../core/action_class.ts";
import { denialDecision } from "../../core/decision.ts";
import type { DecisionEvent } from "../../core/event.ts";
import type { ExecutionEnvelope } from "../../core/envelope.ts";
import { unacceptedLosses } from "../../core/session_state.ts";
import { sha256 } from "../../core/sha256.ts";
import type { Remedy } from "../../policy/outcome.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import { withHistory } from "../pipeline/envelope.ts";
import { judge, type Judgement } from "../pipeline/policy.ts";
import { unready } from "../pipeline/readiness.ts";
import { eventBase, type EventSink } from "../pipeline/record.ts";
import type { SessionTable } from "../pipeline/session_table.ts";
import { type ApprovalConfig, settle } from "../pipeline/settle.ts";
import type { Standing } from "../pipeline/standing.ts";
import type { LossQuestion, LossVerdict } from "./question.ts";

/** What weighing losses needs. */
export interface LossScaleOptions {
  readonly standing: Standing;
  readonly sessions: SessionTable;
  readonly sink: EventSink;
  /** Where approvals are kept; without it nobody is asked. */
  readonly approvals?: { readonly desk: ApprovalDesk; readonly config: ApprovalConfig } | undefined;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
}

/** How long one question waits for a person, in milliseconds; then it is asked again. */
const WAIT_MS = 120_000;

/** Decides what becomes of an agent whose workspace loses files: the losses are part of its history. */
export class LossScale {
  readonly #options: LossScaleOptions;

  constructor(options: LossScaleOptions) {
    this.#options = options;
  }

  /** Never rejects: what cannot be decided is `unknown`. */
  async weigh(question: LossQuestion): Promise<LossVerdict> {
    const { standing, sessions, sink, now = Date.now } = this.#options;
    const session = sessions.get(question.sessionId);
    if (session === undefined || session.ended || !sink.accepts()) return { kind: "unknown" };
    if (unready(standing, session, now()) !== undefined) return { kind: "unknown" };
    try {
      return question.step === "look"
        ? this.#look(question, session)
        : await this.#ask(question, session);
    } catch {
      return { kind: "unknown" };
    }
  }

  #look(question: LossQuestion, session: SessionView): LossVerdict {
    const judged = this.#judge(question, session);
    const { denial } = judged;
    const wantsPerson = denial?.reason === "StepUpRequired" && session.observed !== true;
    if (wantsPerson && this.#options.approvals !== undefined) return { kind: "ask" };
    return this.#conclude(session, judged, denial);
  }

  async #ask(question: LossQuestion, session: SessionView): Promise<LossVerdict> {
    const { approvals } = this.#options;
    if (approvals === undefined) return this.#look(question, session);
    let judged = this.#judge(question, session);
    const isWaiting = question.step === "wait";
    const settled = await settle(
      {
        again: () => {
          judged = this.#judge(question, session);
          return { denial: judged.denial, remedy: judged.remedy };
        },
        subject: (challenges) => lossSubject(question, session, judged, challenges),
        unchangeable: (remedy: Remedy) => remedy.dropHeaders.length > 0 ? UNCHANGEABLE : undefined,
        endMs: isWaiting ? performance.now() + WAIT_MS : 0,
        left: new AbortController().signal,
      },
      approvals.desk,
      { ...approvals.config, maxWaitMs: WAIT_MS },
    );
    const { denial, approvalId } = settled;
    const isPending = denial?.approval?.state === "pending" ||
      denial?.reason === "EnforcementTimeout";
    if (isWaiting && isPending) return { kind: "ask" };
    const verdict = this.#conclude(session, judged, denial, approvalId);
    return isPending ? { kind: "ask" } : verdict;
  }

  /** Records what was decided. */
  #conclude(
    session: SessionView,
    { envelope, policyIds, denial: said }: Judged,
    denial: Denial | undefined,
    approvalId = denial?.approval?.id,
  ): LossVerdict {
    const { standing, sessions, sink } = this.#options;
    // What nothing permits has happened all the same; only a policy that forbids it ends a run.
    const isInNameOnly = denial !== undefined &&
      (session.observed === true || (denial === said && policyIds.length === 0));
    const { action_class, resource } = envelope.intent;
    const event: DecisionEvent = {
      ...eventBase(session),
      kind: "decision",
      decision: denial === undefined ? "ALLOW" : denialDecision(denial.reason),
      ...(isInNameOnly && { enforced: false }),
      deny_reason: denial?.reason ?? "",
      detail: denial?.detail ?? "",
      ...(approvalId !== undefined && { approval_id: approvalId }),
      action_class,
      resource: resource.id,
      method: resource.method,
      token_id: envelope.capability.token_id,
      bundle_version: standing.bundle?.version ?? "",
      policy_ids: policyIds,
      latency_us: 0,
      envelope,
    };
    sink.push(event, "now");
    sessions.record(event);
    if (denial === undefined || isInNameOnly) return { kind: "free" };
    return { kind: "end", detail: denial.detail };
  }

  #judge({ deleted }: LossQuestion, session: SessionView): Judged {
    const { standing, sessions, now = Date.now } = this.#options;
    const { state } = sessions.get(session.sessionId) ?? session;
    const { losses = { deleted: 0, accepted: 0 } } = state;
    const envelope = lossEnvelope(session, { ...state, losses: { ...losses, deleted } }, now());
    return { ...judge(standing.bundle?.engine, envelope), envelope };
  }
}

type Judged = Judgement & { readonly envelope: ExecutionEnvelope };

const UNCHANGEABLE: Denial = {
  reason: "PolicyDenied",
  detail: "policy wants it changed, and what is gone is gone",
};

/** What policies see of files that are gone. */
function lossEnvelope(
  { sessionId, agentId, startedMs, claims }: SessionView,
  state: SessionView["state"],
  nowMs: number,
): ExecutionEnvelope {
  const deleted = unacceptedLosses(state);
  const { metadata, ...envelope } = withHistory({
    capability: { agent_id: agentId, token_id: claims[0]?.token_id ?? "" },
    intent: {
      action_class: "filesystem.delete" as ActionClass,
      attributes: { filesystem_delete_count: deleted },
      raw_action_ref: "",
      raw_transport: "watch",
      resource: { host: "", id: "watch://workspace", method: "WATCH", path: "" },
    },
    metadata: {
      action_count: state.actionCount,
      deny_count: state.denyCount,
      last_resource: state.lastResource,
      prior_action_classes: [...new Set(state.recentActionClasses)],
      session_id: sessionId,
      session_started_ms: startedMs,
      timestamp_ms: nowMs,
    },
    provenance: { via: "watch" },
  }, state);
  return { ...envelope, metadata: { ...metadata, deleted_files: deleted } };
}

function lossSubject(
  { deleted, paths }: LossQuestion,
  { sessionId, sandboxId, agentId }: SessionView,
  { envelope, policyIds }: Judged,
  challenges: readonly string[],
): ApprovalSubject {
  const { deleted_files: unaccepted = 0 } = envelope.metadata;
  const before = deleted - unaccepted;
  return {
    kind: "watch",
    sessionId,
    sandboxId,
    agentId,
    // The agent stands still while somebody looks: what is gone is all that this is about.
    fingerprint: sha256(JSON.stringify(["watch", sandboxId, deleted])),
    actionClass: envelope.intent.action_class,
    challenges,
    policyIds,
    summary: `the deletion of ${unaccepted} files of the workspace`,
    details: [
      ["approved before", before > 0 ? String(before) : ""],
      ["some of them", paths.join(" ")],
      ["to get them back", `firma restore ${sandboxId}`],
    ],
  };
}
