import type { Body } from "../../net/byte_source.ts";
import { PlaceholderRefusal, type Swapper } from "./request_place.ts";
import { UpstreamFailure } from "../transport/upstream.ts";

/** A body that is there whole, with the trailers of the one that it was made of. */
export class BytesBody implements Body {
  readonly length: number;
  readonly #pieces: Uint8Array[];
  readonly #origin: Body;

  constructor(pieces: readonly Uint8Array[], origin: Body) {
    this.#pieces = [...pieces];
    this.#origin = origin;
    this.length = pieces.reduce((size, piece) => size + piece.length, 0);
  }

  get trailers(): Body["trailers"] {
    return this.#origin.trailers;
  }

  take(): Uint8Array | null {
    return this.#pieces.shift() ?? null;
  }

  wait(): Promise<void> {
    return Promise.resolve();
  }
}

/** All of a body; `undefined` where it is larger than `limit` bytes. */
export async function readWhole(body: Body, limit = Infinity): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const piece = body.take();
    if (piece === null) break;
    if (piece === undefined) {
      await body.wait();
      continue;
    }
    size += piece.length;
    if (size > limit) return undefined;
    pieces.push(piece.slice());
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * A body that a swapper looks at while it is sent, and leaves as it is. Where the swapper refuses,
 * neither the piece that it refuses nor anything after it comes out, and the body fails.
 */
export class WatchedBody implements Body {
  readonly #inner: Body;
  readonly #swapper: Swapper;
  readonly #ready: Uint8Array[] = [];
  #failure: UpstreamFailure | undefined;
  #ended = false;

  constructor(inner: Body, swapper: Swapper) {
    this.#inner = inner;
    this.#swapper = swapper;
  }

  get length(): number | undefined {
    return this.#inner.length;
  }

  get trailers(): Body["trailers"] {
    return this.#inner.trailers;
  }

  take(): Uint8Array | undefined | null {
    while (this.#failure === undefined) {
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      if (this.#ended) return null;
      const piece = this.#inner.take();
      if (piece === undefined) return undefined;
      this.#look(piece);
    }
    throw this.#failure;
  }

  wait(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#ready.length > 0 ? Promise.resolve() : this.#inner.wait();
  }

  #look(piece: Uint8Array | null): void {
    try {
      const out = piece === null ? this.#swapper.end() : this.#swapper.push(piece);
      this.#ended = piece === null;
      for (const part of out) if (part.length > 0) this.#ready.push(part);
    } catch (cause) {
      if (!(cause instanceof PlaceholderRefusal)) throw cause;
      this.#failure = new UpstreamFailure(cause.message, {
        reason: "CREDENTIAL_INJECTION_FAILED",
        cause,
      });
    }
  }
}
