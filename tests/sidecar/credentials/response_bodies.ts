/** Bodies of answers for tests. */
import { Buffer } from "node:buffer";
import type { Body } from "../../../src/net/byte_source.ts";
import type { FieldList } from "../../../src/net/http/exchange.ts";
import type { UpstreamResponse } from "../../../src/sidecar/transport/upstream.ts";

/** A body that comes in these pieces, the next one only after a wait; each is overwritten then. */
export class PiecesBody implements Body {
  readonly #pieces: Uint8Array[];
  readonly length: number | undefined;
  readonly trailers: FieldList;
  #taken: Uint8Array | undefined;
  #ready = false;

  constructor(pieces: readonly Uint8Array[], trailers: FieldList = [], length?: number) {
    this.#pieces = pieces.map((piece) => Uint8Array.from(piece));
    this.trailers = trailers;
    this.length = length;
  }

  take(): Uint8Array | undefined | null {
    this.#taken?.fill(0x2a);
    this.#taken = undefined;
    if (this.#pieces.length === 0) return null;
    if (!this.#ready) return undefined;
    this.#ready = false;
    return this.#taken = this.#pieces.shift()!;
  }

  wait(): Promise<void> {
    this.#taken?.fill(0x2a);
    this.#ready = true;
    return Promise.resolve();
  }
}

/** Everything that a body holds. */
export async function readAll(body: Body | undefined): Promise<Buffer> {
  const pieces: Buffer[] = [];
  if (body === undefined) return Buffer.alloc(0);
  for (;;) {
    const piece = body.take();
    if (piece === null) return Buffer.concat(pieces);
    if (piece === undefined) await body.wait();
    else pieces.push(Buffer.from(piece));
  }
}

/** Bytes in pieces of `size`. */
export function inPieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** An answer with this body. */
export function answer(
  fields: FieldList,
  body?: Body,
  changes: Partial<UpstreamResponse> = {},
): UpstreamResponse {
  return { status: 200, reason: "OK", fields, spellings: undefined, body, ...changes };
}
