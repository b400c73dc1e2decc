import type { Buffer } from "node:buffer";
import type { Http2Stream, IncomingHttpHeaders } from "node:http2";
import { type Body, ConnectionEnded, ProtocolViolation } from "../byte_source.ts";
import { fieldsOf } from "./fields.ts";

/**
 * The body of an HTTP/2 message, read no faster than it is taken. It leaves the stream alone
 * until it is first asked for: `node:http2` ends a request that nobody reads in the way that
 * clients understand best.
 */
export class StreamBody implements Body {
  readonly length: number | undefined;
  trailers: [string, string][] = [];
  readonly #stream: Http2Stream;
  readonly #highWater: number;
  readonly #queue: Buffer[] = [];
  #begun = false;
  #held = 0;
  #received = 0;
  #state: "open" | "ended" | "failed" = "open";
  #wake: (() => void) | undefined;

  constructor(stream: Http2Stream, length: number | undefined, highWater: number) {
    this.#stream = stream;
    this.length = length;
    this.#highWater = highWater;
    stream.on("trailers", (headers: IncomingHttpHeaders, _flags: number, raw?: string[]) => {
      this.trailers = fieldsOf(headers, raw);
    });
    stream.on("end", this.#onEnd);
    stream.on("aborted", this.#onBroken);
    stream.on("error", this.#onBroken);
    stream.on("close", this.#onBroken);
  }

  /** Reads from now on. A response has to: the reset that may follow it would take it along. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#stream.on("data", this.#onData);
  }

  take(): Uint8Array | undefined | null {
    this.begin();
    const piece = this.#queue.shift();
    if (piece === undefined) {
      if (this.#state === "failed") throw new ConnectionEnded("stream was reset within a body");
      if (this.#state === "open") return undefined;
      if (this.length !== undefined && this.#received !== this.length) {
        throw new ProtocolViolation("body is not as long as Content-Length says");
      }
      return null;
    }
    this.#held -= piece.length;
    if (this.#held <= this.#highWater / 4 && this.#stream.isPaused()) this.#stream.resume();
    return piece;
  }

  wait(): Promise<void> {
    this.begin();
    if (this.#queue.length > 0 || this.#state !== "open") return Promise.resolve();
    return new Promise((resolve) => this.#wake = resolve);
  }

  readonly #onData = (data: Buffer): void => {
    if (data.length === 0) return;
    this.#queue.push(data);
    this.#received += data.length;
    this.#held += data.length;
    if (this.#held > this.#highWater) this.#stream.pause();
    this.#notify();
  };

  readonly #onEnd = (): void => {
    // A reset stream ends too; only an unbroken one is whole.
    if (this.#state === "open") this.#state = this.#stream.rstCode ? "failed" : "ended";
    this.#notify();
  };

  readonly #onBroken = (): void => {
    if (this.#state === "open") this.#state = "failed";
    this.#notify();
  };

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
