import { type Decision, holdsBack } from "./decision.ts";
import type { DecisionEvent, ExecEvent } from "./event.ts";
import { advanceTransfers, type Transfer, transfersOf, type TransferState } from "./transfers.ts";

/**
 * What a session has done so far, as policies see it. The state is a fold over
 * the session's decisions and nothing else, so that whoever holds the decisions
 * (the data-plane worker, the main thread after that worker died, an auditor
 * with the log) arrives at the same state.
 */
export interface SessionState {
  /** Calls decided so far. */
  readonly actionCount: number;
  /** Calls that ended in DENY. */
  readonly denyCount: number;
  /** Action classes of the last {@linkcode HISTORY} calls, oldest first, with repetitions. */
  readonly recentActionClasses: readonly string[];
  /** Resource of the last call, `""` before the first one. */
  readonly lastResource: string;
  /** Money that was moved; absent as long as none was. */
  readonly transfers?: TransferState;
  /** Files of the workspace that went away; absent as long as none was seen to. */
  readonly losses?: LossState;
}

/** What the delete watch saw of a session, and what of it was permitted by somebody. */
export interface LossState {
  /** Files of the snapshot that are gone. */
  readonly deleted: number;
  /** How many of them, or of those to come, a person has approved. */
  readonly accepted: number;
}

/** Files that are gone without a person's word. */
export function unacceptedLosses({ losses }: SessionState): number {
  return losses === undefined ? 0 : Math.max(0, losses.deleted - losses.accepted);
}

/** How many past calls `prior_action_classes` looks back on. */
export const HISTORY = 8;

/** A session before its first call. */
export const INITIAL_SESSION_STATE: SessionState = {
  actionCount: 0,
  denyCount: 0,
  recentActionClasses: [],
  lastResource: "",
};

/** What the fold needs to know of one decided call. */
export interface SessionStep {
  readonly decision: Decision;
  readonly actionClass: string;
  readonly resource: string;
  /** Money that the call moved. @default none */
  readonly moved?: readonly Transfer[];
  /** Files that the watch saw to be gone without a person's word. @default nothing was looked at */
  readonly unaccepted?: number;
  /** Files whose deletion a person approved with this. @default none */
  readonly accepted?: number;
}

/** The step that a recorded decision stands for; a query is no part of a resource. */
export function sessionStep(event: DecisionEvent | ExecEvent): SessionStep {
  return {
    decision: event.decision,
    actionClass: event.action_class,
    resource: event.resource.split("?", 1)[0]!,
    ...movedBy(event),
    ...lossesBy(event),
  };
}

/** What an event says of files: that they are gone, or that somebody has let them go. */
function lossesBy(event: DecisionEvent | ExecEvent): Pick<SessionStep, "unaccepted" | "accepted"> {
  const { envelope, approval_id: approvalId, decision } = event;
  if (envelope === undefined) return {};
  const isApproved = approvalId !== undefined && !holdsBack(decision);
  if (envelope.provenance.via === "watch") {
    const unaccepted = envelope.metadata.deleted_files ?? 0;
    return { unaccepted, ...(isApproved && { accepted: unaccepted }) };
  }
  if (!isApproved) return {};
  const parts = envelope.intent.operations ?? [envelope.intent];
  const accepted = parts.reduce(
    (sum, { attributes: { filesystem_delete_count: count } }) =>
      typeof count === "number" ? sum + count : sum,
    0,
  );
  return accepted === 0 ? {} : { accepted };
}

/** What was held back has moved nothing; what went out has, whatever became of it. */
function movedBy(event: DecisionEvent | ExecEvent): Pick<SessionStep, "moved"> {
  const { decision, enforced, envelope } = event;
  if (envelope === undefined || (holdsBack(decision) && enforced !== false)) return {};
  const moved = transfersOf(envelope);
  return moved.length === 0 ? {} : { moved };
}

/**
 * Whether an execution is part of what policies see of a session. A program that no rule names and
 * that runs is not: a build would bury all else under thousands of them.
 */
export function countsInSession({ action_class, decision }: ExecEvent): boolean {
  return holdsBack(decision) || action_class !== "system.execute";
}

/** The state after `step`. */
export function advanceSession(state: SessionState, step: SessionStep): SessionState {
  const { moved, unaccepted } = step;
  const losses = advanceLosses(state.losses, step);
  // What is seen is no action of the agent's.
  if (unaccepted !== undefined) return { ...state, losses };
  const recent = state.recentActionClasses.length >= HISTORY
    ? state.recentActionClasses.slice(1)
    : state.recentActionClasses.slice();
  recent.push(step.actionClass);
  return {
    actionCount: state.actionCount + 1,
    denyCount: state.denyCount + (step.decision === "DENY" ? 1 : 0),
    recentActionClasses: recent,
    lastResource: step.resource,
    ...(moved ?? state.transfers) && { transfers: advanceTransfers(state.transfers, moved ?? []) },
    ...(losses.deleted + losses.accepted > 0 && { losses }),
  };
}

function advanceLosses(
  { deleted, accepted }: LossState = { deleted: 0, accepted: 0 },
  step: SessionStep,
): LossState {
  return {
    deleted: step.unaccepted === undefined ? deleted : step.unaccepted + accepted,
    accepted: accepted + (step.accepted ?? 0),
  };
}
