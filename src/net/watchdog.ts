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
  /** In no order. An array, because the collector is slow to let go of what left a `Set`. */
  readonly #entries: Entry[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The time of the last tick, which spares looking at the clock for each call. */
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
    const entry = new Entry(this, this.#entries.length, ms, expire);
    this.#entries.push(entry);
    return entry;
  }

  /** A time that has certainly come when `ms` milliseconds have passed. */
  after(ms: number): number {
    return this.#now + this.#tick + ms;
  }

  /** Forgets a watch. */
  remove(entry: Entry): void {
    const last = this.#entries.pop()!;
    if (last === entry) return;
    this.#entries[entry.at] = last;
    last.at = entry.at;
  }

  /** Forgets all watches. */
  close(): void {
    for (const entry of [...this.#entries]) entry.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    this.#now = performance.now();
    for (const entry of this.#entries.filter(({ due }) => due <= this.#now)) entry.expire();
    if (this.#entries.length === 0) this.close();
  }
}

/** A watch that is set. */
class Entry implements Watch {
  due: number;
  /** Its place in the list; -1 once it is cleared. */
  at: number;
  readonly #watchdog: Watchdog;
  #ms: number;
  #expire: (() => void) | undefined;

  constructor(watchdog: Watchdog, at: number, ms: number, expire: () => void) {
    this.#watchdog = watchdog;
    this.at = at;
    this.#ms = ms;
    this.#expire = expire;
    this.due = watchdog.after(ms);
  }

  touch(ms?: number): void {
    if (ms !== undefined) this.#ms = ms;
    this.due = this.#watchdog.after(this.#ms);
  }

  clear(): void {
    if (this.at < 0) return;
    this.#watchdog.remove(this);
    this.at = -1;
    this.#expire = undefined;
  }

  expire(): void {
    const expire = this.#expire;
    this.clear();
    expire?.();
  }
}
