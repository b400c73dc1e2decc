import { libc } from "./libc.ts";

/** What sched_getaffinity(2) fills in: a bit for each processor, of which a kernel may have more. */
const MASK_BYTES = 128n;

/** Where the scheduler may let the calling thread run. */
export class Processor {
  readonly #usual: Uint8Array<ArrayBuffer>;
  readonly #only = new Map<number, Uint8Array<ArrayBuffer>>();

  private constructor(usual: Uint8Array<ArrayBuffer>) {
    this.#usual = usual;
  }

  /** The one of the thread that asks; `undefined` where the kernel has more than it can be told of. */
  static ofThread(): Processor | undefined {
    const usual = new Uint8Array(Number(MASK_BYTES));
    // The C library's own says 0 where the kernel says how many bytes it knew.
    return libc.sched_getaffinity(0, MASK_BYTES, usual) === 0 ? new Processor(usual) : undefined;
  }

  /** Stays where the thread runs now, also while it waits. */
  stay(): void {
    const number = libc.sched_getcpu();
    if (number >= 0 && number < 8 * this.#usual.length) this.#set(this.#onlyOn(number));
  }

  /** Runs anywhere again. */
  leave(): void {
    this.#set(this.#usual);
  }

  #onlyOn(number: number): Uint8Array<ArrayBuffer> {
    let mask = this.#only.get(number);
    if (mask === undefined) {
      mask = new Uint8Array(this.#usual.length);
      mask[number >> 3] = 1 << (number & 7);
      this.#only.set(number, mask);
    }
    return mask;
  }

  #set(mask: Uint8Array<ArrayBuffer>): void {
    libc.sched_setaffinity(0, MASK_BYTES, mask);
  }
}
