import { type Body, ConnectionEnded, ProtocolViolation } from "../../net/byte_source.ts";
import { UpstreamFailure } from "./upstream.ts";

/** The body of a response: tells when it was read to its end, and blames the upstream if it was not. */
export class UpstreamBody implements Body {
  readonly #inner: Body;
  readonly #ended: () => void;

  constructor(inner: Body, ended: () => void) {
    this.#inner = inner;
    this.#ended = ended;
  }

  get length(): number | undefined {
    return this.#inner.length;
  }

  get trailers(): Body["trailers"] {
    return this.#inner.trailers;
  }

  take(): Uint8Array | undefined | null {
    try {
      const piece = this.#inner.take();
      if (piece === null) this.#ended();
      return piece;
    } catch (error) {
      throw brokenResponse(error);
    }
  }

  wait(): Promise<void> {
    return this.#inner.wait().catch((error) => {
      throw brokenResponse(error);
    });
  }
}

function brokenResponse(error: unknown): UpstreamFailure {
  const what = error instanceof ProtocolViolation || error instanceof ConnectionEnded
    ? error.message
    : "connection broke within the response";
  return new UpstreamFailure(`response: ${what}`, { cause: error });
}
