/** How many seconds are remembered. */
const SECONDS = 120;

/** Calls of one second. */
export interface Beat {
  readonly total: number;
  readonly denied: number;
}

/** Decisions a second over the last two minutes. */
export class Rate {
  readonly #totals = new Uint32Array(SECONDS);
  readonly #denials = new Uint32Array(SECONDS);
  #latest = 0;

  add(atMs: number, denied: boolean): void {
    const second = Math.floor(atMs / 1_000);
    this.#advance(second);
    if (second <= this.#latest - SECONDS) return;
    this.#totals[second % SECONDS]!++;
    if (denied) this.#denials[second % SECONDS]!++;
  }

  /** The last `seconds` whole seconds before the one of `nowMs`, oldest first. */
  series(nowMs: number, seconds: number): Beat[] {
    const now = Math.floor(nowMs / 1_000);
    return Array.from({ length: seconds }, (_, i) => this.#at(now - seconds + i));
  }

  #at(second: number): Beat {
    const isKnown = second >= 0 && second <= this.#latest && second > this.#latest - SECONDS;
    if (!isKnown) return { total: 0, denied: 0 };
    return {
      total: this.#totals[second % SECONDS]!,
      denied: this.#denials[second % SECONDS]!,
    };
  }

  #advance(second: number): void {
    if (second <= this.#latest) return;
    const from = Math.max(this.#latest + 1, second - SECONDS + 1);
    for (let at = from; at <= second; at++) {
      this.#totals[at % SECONDS] = 0;
      this.#denials[at % SECONDS] = 0;
    }
    this.#latest = second;
  }
}
