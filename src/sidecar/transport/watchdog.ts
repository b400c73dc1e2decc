/** Something that must happen before its time is up. */
export interface Watch {
  /** Starts the time anew, with another length when one is given. */
  touch(ms?: number): void;
  clear(): void;
}

/**
 * Coarse time-outs for many calls at once: starting, touching and clearing one
 * costs no timer. They fire up to two ticks late and never early.
 */
export class Watchdog {
  readonly #tick: number;
  readonly #entries = new Set<Entry>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #now = 0;

  /** `tickMs` is the precision. */
  constructor(tickMs: number) {
    this.#tick = tickMs;
  }

  /** Calls `expire` unless the watch is cleared or touched within `ms` milliseconds. */
  watch(ms: number, expire: () => void): Watch {
    if (this.#timer === undefined) {
      this.#now = performance.now();
      this.#timer = setInterval(() => this.#check(), this.#tick);
    }
    const entry = new Entry(this.#entries, () => this.#now + this.#tick, ms, expire);
    this.#entries.add(entry);
    return entry;
  }

  /** Forgets all watches. */
  close(): void {
    this.#entries.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    this.#now = performance.now();
    for (const entry of this.#entries) {
      if (entry.due > this.#now) continue;
      entry.clear();
      entry.expire();
    }
    if (this.#entries.size === 0) this.close();
  }
}

class Entry implements Watch {
  due: number;
  readonly expire: () => void;
  readonly #entries: Set<Entry>;
  readonly #now: () => number;
  #ms: number;

  constructor(entries: Set<Entry>, now: () => number, ms: number, expire: () => void) {
    this.#entries = entries;
    this.#now = now;
    this.#ms = ms;
    this.expire = expire;
    this.due = now() + ms;
  }

  touch(ms?: number): void {
    if (ms !== undefined) this.#ms = ms;
    this.due = this.#now() + this.#ms;
  }

  clear(): void {
    this.#entries.delete(this);
  }
}
