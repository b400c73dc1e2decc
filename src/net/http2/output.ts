import { Buffer } from "node:buffer";
import { ConnectionError, ENHANCE_YOUR_CALM } from "./frame.ts";

/** Where the bytes of a connection go. */
export interface Sink {
  /** A promise means: no more until it resolves. */
  write(bytes: Buffer): Promise<void> | undefined;
  /** Writes what is left and closes. */
  end(): void;
}

/** Heads and bodies wait while so much is on its way to the sink. */
const ENOUGH = 262_144;
/** A peer that asks for so many answers without reading any is cut off. */
const TOO_MUCH = 1_048_576;

/** Frames on their way out: those of one turn of the event loop go in one write. */
export class Output {
  readonly #sink: Sink;
  readonly #failed: (error: ConnectionError | undefined) => void;
  #frames: Buffer[] = [];
  #size = 0;
  #scheduled = false;
  #writing = false;
  #ended = false;
  #waiting: (() => void)[] = [];

  /**
   * `failed` is called when the sink breaks, and with an error when the peer lets too much pile
   * up; never from within another member, so that whoever sends need not expect it.
   */
  constructor(sink: Sink, failed: (error: ConnectionError | undefined) => void) {
    this.#sink = sink;
    this.#failed = failed;
  }

  /** Whether bodies must wait. */
  get congested(): boolean {
    return this.#writing || this.#size >= ENOUGH;
  }

  /** Whether heads must wait as well: many of them at once are not small either. */
  get full(): boolean {
    return this.#size >= ENOUGH;
  }

  /** Queues a frame. */
  push(frame: Buffer): void {
    if (this.#ended) return;
    const before = this.#size;
    this.#frames.push(frame);
    this.#size += frame.length;
    if (this.#size > TOO_MUCH && before <= TOO_MUCH) queueMicrotask(() => this.#overflow());
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** Resolves when {@linkcode wake} is called: more may be sent, perhaps. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets everyone try again who waits for room. */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Hands what is queued to the sink. */
  flush(): void {
    this.#scheduled = false;
    if (this.#frames.length === 0 || this.#writing) return;
    const bytes = this.#frames.length === 1 ? this.#frames[0]! : Buffer.concat(this.#frames);
    this.#frames = [];
    this.#size = 0;
    const written = this.#sink.write(bytes);
    if (written === undefined) return this.wake();
    this.#writing = true;
    written.then(() => {
      this.#writing = false;
      this.flush();
      this.wake();
    }, () => this.#failed(undefined));
  }

  /** Writes what is left, waited for or not, and closes the sink. */
  end(): void {
    this.#ended = true;
    if (this.#frames.length > 0) this.#sink.write(Buffer.concat(this.#frames))?.catch(() => {});
    this.#frames = [];
    this.#size = 0;
    this.#sink.end();
    this.wake();
  }

  #overflow(): void {
    // What was queued in one go may have left in one go as well.
    if (this.#ended || this.#size <= TOO_MUCH) return;
    this.#failed(new ConnectionError(ENHANCE_YOUR_CALM, "peer does not read its answers"));
  }
}
