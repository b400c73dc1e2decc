import { Buffer } from "node:buffer";
import type { Body } from "../../net/byte_source.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import type { Masker } from "../../secrets/masker.ts";
import { searched, unseen } from "./response_failure.ts";

/** Searched without a break; with what waited before it, it takes up 64 KiB at most. */
const SLICE = 61_440;

/** A body without the secrets that are in it, as it comes. */
export class MaskedBody implements Body {
  readonly length: number | undefined;
  readonly #source: Body;
  readonly #masker: Masker;
  readonly #trailers: (trailers: FieldList) => FieldList;
  #rest: Uint8Array | undefined;
  #state: "open" | "ended" | "done" = "open";

  constructor(
    source: Body,
    masker: Masker,
    length: number | undefined,
    trailers: (trailers: FieldList) => FieldList,
  ) {
    this.#source = source;
    this.#masker = masker;
    this.length = length;
    this.#trailers = trailers;
  }

  get trailers(): FieldList {
    return this.#trailers(this.#source.trailers);
  }

  take(): Uint8Array | undefined | null {
    for (;;) {
      const added = this.#gather();
      const out = added === 0 ? undefined : searched(() => this.#masker.flush());
      if (out !== undefined && out.length > 0) return out;
      if (this.#state === "done") return null;
      if (this.#state === "ended") {
        this.#state = "done";
        return searched(() => this.#masker.end());
      }
      if (added === 0) return undefined;
    }
  }

  /** Has the masker take what is at hand, small pieces together; how many bytes that were. */
  #gather(): number {
    let added = 0;
    while (added < SLICE && this.#state === "open") {
      const piece = this.#rest ?? this.#source.take();
      if (piece === undefined) break;
      if (piece === null) {
        this.#state = "ended";
        break;
      }
      const slice = piece.subarray(0, SLICE - added);
      this.#rest = piece.length > slice.length ? piece.subarray(slice.length) : undefined;
      this.#masker.add(slice);
      added += slice.length;
    }
    return added;
  }

  wait(): Promise<void> {
    return this.#source.wait();
  }
}

const PREFIX = 5;
const COMPRESSED = 1;

/**
 * A stream of messages, each after a byte of flags and its size in four (gRPC, Connect). A message
 * goes out whole when it has come whole: whoever sent it may wait for an answer to it.
 */
export class MaskedMessages implements Body {
  readonly #source: Body;
  readonly #masker: Masker;
  readonly #trailers: (trailers: FieldList) => FieldList;
  readonly #prefix = Buffer.alloc(PREFIX);
  #prefixSize = 0;
  #left = 0;

  /** `masker` keeps sizes as they are. */
  constructor(source: Body, masker: Masker, trailers: (trailers: FieldList) => FieldList) {
    this.#source = source;
    this.#masker = masker;
    this.#trailers = trailers;
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get trailers(): FieldList {
    return this.#trailers(this.#source.trailers);
  }

  take(): Uint8Array | undefined | null {
    for (;;) {
      const piece = this.#source.take();
      if (piece === undefined || piece === null) {
        const within = this.#left > 0 || this.#prefixSize > 0;
        if (piece === null && within) throw unseen("ends within a message");
        return piece;
      }
      const out = searched(() => this.#masked(piece));
      if (out.length > 0) return out;
    }
  }

  wait(): Promise<void> {
    return this.#source.wait();
  }

  #masked(piece: Uint8Array): Buffer {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < piece.length;) {
      if (this.#left === 0) {
        this.#prefix[this.#prefixSize++] = piece[at++]!;
        if (this.#prefixSize < PREFIX) continue;
        this.#prefixSize = 0;
        if ((this.#prefix[0]! & COMPRESSED) !== 0) throw unseen("a message is compressed");
        this.#left = this.#prefix.readUInt32BE(1);
        parts.push(Buffer.from(this.#prefix));
        continue;
      }
      const part = piece.subarray(at, at + Math.min(this.#left, SLICE));
      parts.push(Buffer.from(this.#masker.push(part)));
      at += part.length;
      this.#left -= part.length;
      if (this.#left === 0) parts.push(this.#masker.end());
    }
    return Buffer.concat(parts);
  }
}
