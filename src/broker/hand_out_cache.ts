import type { FirmaError, Result } from "../core/result.ts";
import type { Issued } from "./hand_out.ts";

/** How long before its end a hand-out is not used any more: the call has yet to arrive. */
const MARGIN_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;
/** Servers refuse for other reasons, too, and an agent can make them: not each refusal costs a refresh. */
const DROP_PAUSE_MS = 60_000;
/** More scopes than any operator has; an agent may make up names of repositories. */
const MOST_ENTRIES = 1_024;

type Outcome = Result<Issued, FirmaError>;

interface Entry {
  coming?: Promise<Outcome> | undefined;
  issued?: Issued | undefined;
  /** The failure that holds until `retryAtMs`. */
  failure?: Outcome | undefined;
  retryAtMs: number;
  pauseMs: number;
  droppedAtMs: number;
}

/**
 * Hand-outs by their scope. Whoever asks while one is being obtained waits for that one; a failure
 * is not tried again at once.
 */
export class HandOutCache {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The hand-out under `key`, or what `obtain` gives. `obtain` never rejects. */
  get(key: string, obtain: () => Promise<Outcome>): Outcome | Promise<Outcome> {
    const entry = this.#entry(key);
    if (entry.coming !== undefined) return entry.coming;
    if (entry.issued !== undefined && isUsable(entry.issued, this.#now())) {
      return { ok: true, value: entry.issued };
    }
    if (entry.failure !== undefined && this.#now() < entry.retryAtMs) return entry.failure;
    const coming = obtain().then((outcome) => this.#keep(entry, outcome));
    entry.coming = coming;
    return coming;
  }

  /** A server would not have it: it is obtained anew, unless that happened a moment ago. */
  drop(key: string): boolean {
    const entry = this.#entries.get(key);
    const now = this.#now();
    if (entry?.issued === undefined || now - entry.droppedAtMs < DROP_PAUSE_MS) return false;
    entry.issued = undefined;
    entry.droppedAtMs = now;
    return true;
  }

  /** Everything whose key begins so is obtained anew, also what is being obtained. */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  #keep(entry: Entry, outcome: Outcome): Outcome {
    entry.coming = undefined;
    entry.issued = outcome.ok ? outcome.value : undefined;
    entry.failure = outcome.ok ? undefined : outcome;
    if (outcome.ok) entry.pauseMs = FIRST_PAUSE_MS;
    else {
      entry.retryAtMs = this.#now() + entry.pauseMs;
      entry.pauseMs = Math.min(entry.pauseMs * 2, LAST_PAUSE_MS);
    }
    return outcome;
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { retryAtMs: 0, pauseMs: FIRST_PAUSE_MS, droppedAtMs: -Infinity };
      if (this.#entries.size >= MOST_ENTRIES) this.#forgetOldest();
    } else this.#entries.delete(key);
    this.#entries.set(key, entry); // what was used last stands last
    return entry;
  }

  #forgetOldest(): void {
    for (const [key, { coming }] of this.#entries) {
      if (coming !== undefined) continue;
      this.#entries.delete(key);
      return;
    }
  }
}

/** Whether a hand-out may still be sent. */
export function isUsable({ usableUntilMs }: Pick<Issued, "usableUntilMs">, nowMs: number): boolean {
  return nowMs < usableUntilMs;
}

/** Until when a hand-out may be sent: shortly before its end, or as long as the operator says. */
export function usableUntil(
  expiresAtMs: number | undefined,
  refreshMs: number,
  nowMs: number,
): number {
  if (expiresAtMs === undefined) return nowMs + refreshMs;
  // Of a short life, most has to be left.
  return expiresAtMs - Math.min(MARGIN_MS, Math.max(0, expiresAtMs - nowMs) / 5);
}
