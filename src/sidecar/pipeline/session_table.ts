import type { CapabilityClaims } from "../../core/capability.ts";
import type { DecisionEvent, ExecEvent } from "../../core/event.ts";
import { advanceSession, type SessionState, sessionStep } from "../../core/session_state.ts";
import type { SessionView } from "./draft.ts";
import type { SessionBook } from "./gate.ts";

/** A session as a data plane takes it on, new or handed over from a worker that ended. */
export type SessionSeed = Omit<SessionView, "ended">;

interface Entry extends SessionView {
  claims: readonly CapabilityClaims[];
  state: SessionState;
  ended: boolean;
}

/** The sessions of a worker: its working copy of what the main thread folds from the events. */
export class SessionTable implements SessionBook {
  readonly #entries = new Map<string, Entry>();
  readonly #followers = new Map<string, () => void>();

  /** Takes a session on. */
  open(seed: SessionSeed): void {
    this.#entries.set(seed.sessionId, { ...seed, ended: false });
  }

  /**
   * Calls `catchUp` before it is said what a session has done, as long as the function that is
   * returned has not been called: it may record what happened meanwhile. Where it throws, nothing is
   * said.
   */
  follow(sessionId: string, catchUp: () => void): () => void {
    this.#followers.set(sessionId, catchUp);
    return () => {
      if (this.#followers.get(sessionId) === catchUp) this.#followers.delete(sessionId);
    };
  }

  get(sessionId: string): SessionView | undefined {
    this.#followers.get(sessionId)?.();
    return this.#entries.get(sessionId);
  }

  /** Replaces the tokens of a session. */
  setClaims(sessionId: string, claims: readonly CapabilityClaims[]): void {
    const entry = this.#entries.get(sessionId);
    if (entry !== undefined) entry.claims = claims;
  }

  record(event: DecisionEvent | ExecEvent): void {
    const entry = this.#entries.get(event.session_id);
    if (entry !== undefined) entry.state = advanceSession(entry.state, sessionStep(event));
  }

  /** Denies every further call of the session; its events keep their attribution. */
  end(sessionId: string): void {
    const entry = this.#entries.get(sessionId);
    if (entry !== undefined) entry.ended = true;
  }

  /** Drops a session whose last call has ended. */
  forget(sessionId: string): void {
    this.#entries.delete(sessionId);
  }
}
