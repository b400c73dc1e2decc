import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { closeQuietly } from "./close_quietly.ts";
import { countBuffer } from "./garbage.ts";
import { writeAll } from "./write_all.ts";

/** Bytes that are read at once: the most, and at first. Most connections never fill more. */
const READ_BYTES = 65_536;
const FIRST_READ_BYTES = 4_096;
/** Bytes that are written at once, where so many wait. */
const WRITE_BYTES = 262_144;
/** Pieces up to this size are copied, so that the next one need not wait until they are written. */
const COPY_BYTES = 65_536;
/** While more than this waits to be written, no more is taken. */
const WAITING_BYTES = 1_048_576;

type Done = (error?: Error | null) => void;

/**
 * A connection of Deno's as a stream of Node's.
 *
 * Not a socket of `node:net`: below a unix socket, that of Deno 2.9.4 closes its descriptor twice.
 * When another thread opens something in between, the second time closes that: files and
 * connections of the whole process would end, or be mixed up, without a reason to be seen.
 */
export class ConnSocket extends Duplex {
  readonly #conn: Deno.Conn;
  #space = Buffer.allocUnsafeSlow(FIRST_READ_BYTES);
  #reading = false;
  /** What was taken and is not written yet. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  /** Whoever may go on once no more than so many bytes wait. */
  #taken: { readonly done: Done; readonly at: number } | undefined;
  /** Whoever waits for the end of everything. */
  #finished: Done | undefined;

  constructor(conn: Deno.Conn) {
    super({ allowHalfOpen: true, readableHighWaterMark: READ_BYTES });
    this.#conn = conn;
  }

  /** Whether something that was written is not on its way to the peer yet. */
  get hasUnsent(): boolean {
    return !this.destroyed && (this.writableLength > 0 || this.#waitingBytes > 0);
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#readOn().catch((error) => this.destroy(error));
  }

  override _write(bytes: Uint8Array, _encoding: string, done: Done): void {
    const copied = bytes.length <= COPY_BYTES;
    this.#waiting.push(copied ? Buffer.from(bytes) : bytes);
    this.#waitingBytes += bytes.length;
    if (!copied) this.#taken = { done, at: 0 };
    else if (this.#waitingBytes > WAITING_BYTES) this.#taken = { done, at: WAITING_BYTES / 2 };
    else done();
    this.#writing ??= this.#writeOn().catch((error) => void this.destroy(error));
  }

  override _final(done: Done): void {
    this.#finished = done;
    if (this.#writing === undefined) this.#finish();
  }

  /**
   * A write that the peer does not take keeps the connection open, in Deno, until the peer takes it
   * or is gone. The stream counts as open until then, so that limits of open connections hold.
   */
  override _destroy(error: Error | null, done: Done): void {
    this.#waiting.length = 0;
    closeQuietly(this.#conn);
    if (this.#writing === undefined) done(error);
    else this.#writing.then(() => done(error));
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const count = await this.#conn.read(this.#space);
      if (this.destroyed) return;
      // Set before, because what takes the bytes may ask for more at once.
      this.#reading = false;
      if (count === null) {
        this.push(null);
        return;
      }
      if (!this.push(this.#taking(count)) || this.#reading) return;
      this.#reading = true;
    }
  }

  /** The bytes that were read, in memory of their own that is not much larger. */
  #taking(count: number): Buffer {
    const bytes = this.#space.subarray(0, count);
    const { length } = this.#space;
    if (count < length / 2) return Buffer.from(bytes);
    // As long as there is always more, more is read at once.
    const next = count < length ? length : Math.min(length * 4, READ_BYTES);
    this.#space = Buffer.allocUnsafeSlow(next);
    countBuffer(bytes);
    return bytes;
  }

  async #writeOn(): Promise<void> {
    await undefined; // what is written in this turn goes together
    while (this.#waiting.length > 0) {
      const bytes = this.#next();
      await writeAll(this.#conn, bytes);
      this.#waitingBytes -= bytes.length;
      if (this.#taken !== undefined && this.#waitingBytes <= this.#taken.at) this.#takeMore();
    }
    this.#writing = undefined;
    if (this.#finished !== undefined) this.#finish();
  }

  #next(): Uint8Array {
    let size = 0;
    let count = 0;
    while (count < this.#waiting.length && size < WRITE_BYTES) {
      size += this.#waiting[count++]!.length;
    }
    const pieces = this.#waiting.splice(0, count);
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
  }

  #takeMore(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.done();
  }

  #finish(): void {
    // A peer that is gone has the end that it wants.
    const closing = this.destroyed ? Promise.resolve() : this.#conn.closeWrite();
    closing.catch(() => {}).then(() => this.#finished?.());
  }
}
