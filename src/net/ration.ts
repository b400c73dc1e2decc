/** So much at once and so much a second: what a peer may ask of this side for nothing. */
export class Ration {
  readonly #atOnce: number;
  readonly #perSecond: number;
  #spent = 0;
  #since = performance.now();

  constructor(atOnce: number, perSecond: number) {
    this.#atOnce = atOnce;
    this.#perSecond = perSecond;
  }

  /** Takes `amount`; `false` when that is more than is left. Looks at the clock only then. */
  spend(amount: number): boolean {
    this.#spent += amount;
    if (this.#spent <= this.#atOnce) return true;
    const now = performance.now();
    this.#spent = Math.max(amount, this.#spent - (now - this.#since) / 1_000 * this.#perSecond);
    this.#since = now;
    return this.#spent <= this.#atOnce;
  }

  /** Gives back up to `amount`: the peer did something of use. */
  earn(amount: number): void {
    this.#spent = this.#spent > amount ? this.#spent - amount : 0;
  }
}
