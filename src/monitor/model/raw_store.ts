/** How many bytes of lines are kept unless somebody says otherwise. */
const CAPACITY = 4 * 1024 * 1024;

/** Where a line is kept. */
export interface RawPlace {
  /** Counts over everything that was ever kept. */
  readonly at: number;
  readonly length: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Keeps the latest lines of a log as bytes in one piece of memory: as thousands
 * of strings that live for a second they would be most of what is collected.
 */
export class RawStore {
  readonly #bytes: Uint8Array;
  #end = 0;

  constructor(capacity: number = CAPACITY) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Keeps a line, in the place of the oldest ones. */
  put(text: string): RawPlace {
    const capacity = this.#bytes.length;
    const line = encoder.encode(text);
    // What is larger than all of the store was never there.
    if (line.length > capacity) return { at: -1, length: line.length };
    const at = this.#end;
    const start = at % capacity;
    const first = Math.min(line.length, capacity - start);
    this.#bytes.set(line.subarray(0, first), start);
    this.#bytes.set(line.subarray(first), 0);
    this.#end += line.length;
    return { at, length: line.length };
  }

  /** The line in a place, unless newer ones took it. */
  get({ at, length }: RawPlace): string | undefined {
    const capacity = this.#bytes.length;
    if (at < 0 || at < this.#end - capacity) return undefined;
    const start = at % capacity;
    const line = new Uint8Array(length);
    const first = Math.min(length, capacity - start);
    line.set(this.#bytes.subarray(start, start + first));
    line.set(this.#bytes.subarray(0, length - first), first);
    return decoder.decode(line);
  }
}
