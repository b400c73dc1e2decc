import { Buffer } from "node:buffer";
import { ConnectionError, ENHANCE_YOUR_CALM } from "./frame.ts";

/** Where the bytes of a connection go. */
export interface Sink {
  /** A promise means: no more until it resolves. */
  write(bytes: Buffer): Promise<void> | undefined;
  /** Writes what is left and closes. */
  end(): void;
}

/** Bodies wait while so much is on its way to the sink. */
const ENOUGH = 262_144;
/** A peer that asks for so many answers without reading any is cut off. */
const TOO_MUCH = 1_048_576;

/** Frames on their way out: those of one turn of the event loop go in one write. */
export class Output {
  readonly #sink: Sink;
  readonly #failed: () => void;
  #frames: Buffer[] = [];
  #size = 0;
  #scheduled = false;
  #writing = false;
  #waiting: (() => void)[] = [];

  /** `failed` is called when the sink breaks. */
  constructor(sink: Sink, failed: () => void) {
    this.#sink = sink;
    this.#failed = failed;
  }

  /** Whether bodies must wait. */
  get congested(): boolean {
    return this.#writing || this.#size >= ENOUGH;
  }

  /** Queues a frame. Throws {@linkcode ConnectionError} when the peer lets too many pile up. */
  push(frame: Buffer): void {
    this.#frames.push(frame);
    this.#size += frame.length;
    if (this.#size > TOO_MUCH) {
      throw new ConnectionError(ENHANCE_YOUR_CALM, "peer does not read its answers");
    }
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
    if (written === undefined) return;
    this.#writing = true;
    written.then(() => {
      this.#writing = false;
      this.flush();
      this.wake();
    }, this.#failed);
  }

  /** Writes what is left, waited for or not, and closes the sink. */
  end(): void {
    if (this.#frames.length > 0) this.#sink.write(Buffer.concat(this.#frames))?.catch(() => {});
    this.#frames = [];
    this.#sink.end();
    this.wake();
  }
}
