import {
  type DecisionEvent,
  type ExecutionEvent,
  hasOutcome,
  isLetOut,
  type OutcomeEvent,
} from "../core/event.ts";
import {
  advanceSession,
  countsInSession,
  INITIAL_SESSION_STATE,
  type SessionState,
  sessionStep,
} from "../core/session_state.ts";
import { eventBase } from "./pipeline/record.ts";

/**
 * What the main thread keeps of the data plane: the state of each session as a
 * fold over its events, and the calls that are allowed and not ended. From this
 * a new worker takes over where one ended, with no counter lost or reset.
 */
export class SessionFold {
  readonly #states = new Map<string, SessionState>();
  readonly #open = new Map<string, DecisionEvent>();

  /** Begins with a session that has done nothing yet, or what `state` says. */
  begin(sessionId: string, state: SessionState = INITIAL_SESSION_STATE): void {
    this.#states.set(sessionId, state);
  }

  /** The state of a session now. */
  state(sessionId: string): SessionState {
    return this.#states.get(sessionId) ?? INITIAL_SESSION_STATE;
  }

  /** Takes in the next event of the data plane. */
  take(event: ExecutionEvent): void {
    if (event.kind === "outcome") this.#open.delete(event.decision_event_id);
    if (event.kind !== "decision" && event.kind !== "exec") return;
    if (event.kind === "exec" && !countsInSession(event)) return;
    const state = this.#states.get(event.session_id);
    if (state !== undefined) {
      this.#states.set(event.session_id, advanceSession(state, sessionStep(event)));
    }
    if (event.kind === "decision" && isLetOut(event) && hasOutcome(event)) {
      this.#open.set(event.event_id, event);
    }
  }

  /** Ends every open call, for the worker that carried them has ended; returns their outcomes. */
  abandon(detail: string): OutcomeEvent[] {
    const outcomes = [...this.#open.values()].map((decision): OutcomeEvent => ({
      ...eventBase({
        sandboxId: decision.sandbox_id,
        sessionId: decision.session_id,
        agentId: decision.agent_id,
      }),
      kind: "outcome",
      decision_event_id: decision.event_id,
      status: 0,
      abort_reason: "CONNECTOR_FAILURE",
      detail,
      request_bytes: 0,
      response_bytes: 0,
      head_latency_us: 0,
      latency_us: 0,
    }));
    this.#open.clear();
    return outcomes;
  }

  /** Calls that are allowed and not ended. */
  get openCalls(): number {
    return this.#open.size;
  }

  /** Forgets a session that ended. */
  end(sessionId: string): void {
    this.#states.delete(sessionId);
  }
}
