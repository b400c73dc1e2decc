import type { ExecutionEnvelope } from "../../core/envelope.ts";
import type { Remedy } from "../../policy/outcome.ts";
import type { SessionView } from "./draft.ts";

/** An allowed call that has not ended. */
export interface LiveCall {
  readonly eventId: string;
  readonly session: Pick<SessionView, "sessionId" | "sandboxId" | "agentId">;
  /** Absent for a call that passed without a policy. */
  readonly envelope: ExecutionEnvelope | undefined;
  /** What the call was approved for, and what was taken from it. */
  readonly taken?: Remedy | undefined;
}

interface Entry {
  readonly call: LiveCall;
  readonly controller: AbortController;
  closedBecause: string;
}

/** The allowed calls that are under way, so that a later decision can close them. */
export class LiveCalls {
  readonly #entries = new Map<string, Entry>();
  readonly #waiters = new Map<string, (() => void)[]>();

  /** Registers a call; the signal aborts when the call must end. */
  add(call: LiveCall): AbortSignal {
    const controller = new AbortController();
    this.#entries.set(call.eventId, { call, controller, closedBecause: "" });
    return controller.signal;
  }

  /**
   * Forgets a call that ended, and says why a later decision closed it (`""`
   * when none did). `undefined` when it is not known: already ended.
   */
  end(eventId: string): { readonly call: LiveCall; readonly closedBecause: string } | undefined {
    const entry = this.#entries.get(eventId);
    if (entry === undefined) return undefined;
    this.#entries.delete(eventId);
    const { sessionId } = entry.call.session;
    if (this.#waiters.has(sessionId) && !this.#isBusy(sessionId)) {
      for (const resolve of this.#waiters.get(sessionId)!) resolve();
      this.#waiters.delete(sessionId);
    }
    return { call: entry.call, closedBecause: entry.closedBecause };
  }

  /** Closes each call for which `verdict` gives a reason; a verdict that throws closes too. */
  review(verdict: (call: LiveCall) => string | undefined): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.closedBecause !== "") continue;
      const reason = reasonToClose(verdict, entry.call);
      if (reason === undefined) continue;
      entry.closedBecause = reason;
      entry.controller.abort(new Error(reason));
    }
  }

  /** Resolves once no call of a session is under way. */
  drained(sessionId: string): Promise<void> {
    if (!this.#isBusy(sessionId)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.set(sessionId, [...this.#waiters.get(sessionId) ?? [], resolve]);
    });
  }

  #isBusy(sessionId: string): boolean {
    return this.#entries.values().some(({ call }) => call.session.sessionId === sessionId);
  }
}

function reasonToClose(
  verdict: (call: LiveCall) => string | undefined,
  call: LiveCall,
): string | undefined {
  try {
    return verdict(call);
  } catch (cause) {
    return `the call could not be decided again: ${cause}`;
  }
}
