/** How many failures there may be at once, and how many more each second. */
const BURST = 20;
const PER_SECOND = 1;

/**
 * Counts failed attempts: beyond a burst, only as many as a person could make. What it holds back
 * is noise (records, answers that tell something), not guesses: of those no number would do.
 */
export class FailureLimit {
  readonly #now: () => number;
  #left = BURST;
  #since: number;

  /** `now` is a clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** Whether one more failure is within the limit; counts it. */
  allows(): boolean {
    const now = this.#now();
    this.#left = Math.min(BURST, this.#left + (now - this.#since) / 1_000 * PER_SECOND);
    this.#since = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
