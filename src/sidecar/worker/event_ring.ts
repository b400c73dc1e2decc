/** Bytes ever written, modulo 2^32. */
const WRITTEN = 0;
/** Bytes ever read, modulo 2^32. */
const READ = 1;
/** Whether the reader knows that there is something to read. */
const CALLED = 2;
/** Whether the reader has read for the last time, or is about to. */
const CLOSED = 3;
const HEADER = 4 * Int32Array.BYTES_PER_ELEMENT;

const LENGTH = 4;
/** Instead of a length: the next record is at the beginning of the ring. */
const WRAP = 0xffff_ffff;
/** The most bytes that UTF-8 takes for a UTF-16 code unit. */
const MOST_BYTES = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Texts on their way from one thread to another through shared memory, in order: one writer, one
 * reader. What was written outlives the thread that wrote it, and costs a tenth of a message.
 */
export class EventRing {
  readonly buffer: SharedArrayBuffer;
  readonly #slots: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #size: number;

  /** Shares `memory`, made by another ring, or takes that many bytes, a power of two. */
  constructor(memory: SharedArrayBuffer | number) {
    this.buffer = typeof memory === "number" ? new SharedArrayBuffer(HEADER + memory) : memory;
    this.#slots = new Int32Array(this.buffer, 0, HEADER / Int32Array.BYTES_PER_ELEMENT);
    this.#bytes = new Uint8Array(this.buffer, HEADER);
    this.#view = new DataView(this.buffer, HEADER);
    this.#size = this.#bytes.length;
  }

  /** The longest text, in UTF-16 code units, that an empty ring takes for certain. */
  get longest(): number {
    return Math.floor((this.#size / 2 - 2 * LENGTH) / MOST_BYTES);
  }

  /** Whether a text of so many UTF-16 code units finds room. */
  hasRoom(length: number): boolean {
    return this.#place(length) !== undefined;
  }

  /** Adds a text; `false` when it finds no room, or {@linkcode isClosed}. */
  write(text: string): boolean {
    const place = this.isClosed ? undefined : this.#place(text.length);
    if (place === undefined) return false;
    const { position, skipped } = place;
    const at = position % this.#size;
    if (skipped > 0) this.#view.setUint32(this.#size - skipped, WRAP, true);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(at + LENGTH));
    this.#view.setUint32(at, written, true);
    Atomics.store(this.#slots, WRITTEN, (position + paddedSize(written)) | 0);
    // Not closed by now, it is read: whoever closes it reads after that.
    return !this.isClosed;
  }

  /** Whether nobody reads any more: what was written since may be lost. */
  get isClosed(): boolean {
    return Atomics.load(this.#slots, CLOSED) === 1;
  }

  /** Takes the oldest text. */
  read(): string | undefined {
    let position = Atomics.load(this.#slots, READ) >>> 0;
    if (position === Atomics.load(this.#slots, WRITTEN) >>> 0) return undefined;
    let at = position % this.#size;
    let length = this.#view.getUint32(at, true);
    if (length === WRAP) {
      position += this.#size - at;
      at = 0;
      length = this.#view.getUint32(0, true);
    }
    const text = decoder.decode(this.#bytes.subarray(at + LENGTH, at + LENGTH + length));
    Atomics.store(this.#slots, READ, (position + paddedSize(length)) | 0);
    return text;
  }

  /** For the writer: whether the reader must be called, which it has then promised. */
  mustCall(): boolean {
    return Atomics.exchange(this.#slots, CALLED, 1) === 0;
  }

  /** For the reader: from now on it wants to be called. It must read once more after this. */
  rest(): void {
    Atomics.store(this.#slots, CALLED, 0);
  }

  /** For the reader: what is written from now on has no reader. It must read once more after this. */
  close(): void {
    Atomics.store(this.#slots, CLOSED, 1);
  }

  /** Where a text goes, and what is skipped before it at the end of the ring. */
  #place(length: number): { readonly position: number; readonly skipped: number } | undefined {
    const written = Atomics.load(this.#slots, WRITTEN) >>> 0;
    const used = (written - (Atomics.load(this.#slots, READ) >>> 0)) >>> 0;
    const needed = paddedSize(length * MOST_BYTES);
    const toEnd = this.#size - written % this.#size;
    const skipped = toEnd < needed ? toEnd : 0;
    if (used + skipped + needed > this.#size) return undefined;
    return { position: written + skipped, skipped };
  }
}

/** A record is a length and a text; lengths stand at multiples of four. */
function paddedSize(length: number): number {
  return LENGTH + Math.ceil(length / LENGTH) * LENGTH;
}
