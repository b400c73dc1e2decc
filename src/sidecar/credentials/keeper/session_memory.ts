import type { Learnt } from "../../../secrets/learnt.ts";

/** As many as a data plane looks for. */
const MOST_LEARNT = 1_000;

/**
 * What sessions must not see. It outlives the data planes that learnt it, so that the next one
 * masks all of it before anything of the session goes out.
 */
export class SessionMemory {
  /** By session; what was learnt last stands at the end. */
  readonly #sessions = new Map<string, Map<string, Learnt>>();

  /** Keeps what a session was handed or shown a placeholder of. */
  keep(sessionId: string, learnt: Learnt): void {
    let known = this.#sessions.get(sessionId);
    if (known === undefined) this.#sessions.set(sessionId, known = new Map());
    const key = JSON.stringify(learnt);
    known.delete(key);
    known.set(key, learnt);
    if (known.size > MOST_LEARNT) known.delete(known.keys().next().value!);
  }

  /** All of a session, in the order in which it was learnt. */
  of(sessionId: string): readonly Learnt[] {
    return [...this.#sessions.get(sessionId)?.values() ?? []];
  }

  /** Keeps nothing of a session that has ended. */
  forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }
}
