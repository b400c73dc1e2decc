import { after } from "../core/after.ts";

/**
 * Says when revocations have been out of hearing for longer than a while, and
 * when they are heard again. A stream that is only opened anew is no news.
 */
export class RevocationHearing {
  readonly #graceMs: number;
  readonly #onChange: (isHeard: boolean) => void;
  #isHeard = true;
  #callOff: (() => void) | undefined;

  constructor(graceMs: number, onChange: (isHeard: boolean) => void) {
    this.#graceMs = graceMs;
    this.#onChange = onChange;
  }

  /** Takes note that the stream is complete, or that it broke. */
  note(isHeard: boolean): void {
    if (isHeard) {
      this.close();
      this.#change(true);
    } else if (this.#graceMs === 0) this.#change(false);
    else this.#callOff ??= after(this.#graceMs, () => this.#change(false));
  }

  /** Says nothing any more of a stream that broke. */
  close(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  #change(isHeard: boolean): void {
    if (this.#isHeard === isHeard) return;
    this.#isHeard = isHeard;
    this.#onChange(isHeard);
  }
}
