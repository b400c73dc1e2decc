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
}

/** The step that a recorded decision stands for; a query is no part of a resource. */
export function sessionStep(event: DecisionEvent | ExecEvent): SessionStep {
  return {
    decision: event.decision,
    actionClass: event.action_class,
    resource: event.resource.split("?", 1)[0]!,
    ...movedBy(event),
  };
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
  const { moved } = step;
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
  };
}
