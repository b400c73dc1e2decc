/** Bodies of HTTP/1 messages, read from a {@linkcode ByteSource} as they arrive. */
import { type Body, type ByteSource, ConnectionEnded, ProtocolViolation } from "../byte_source.ts";
import type { Framing } from "./framing.ts";
import { type Fields, parseFieldLines } from "./head.ts";

const NO_TRAILERS: Fields = [];
const CHUNK_LINE = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/;
const MAX_CHUNK_LINE = 256;
const MAX_TRAILER_BYTES = 16_384;

async function more(source: ByteSource): Promise<void> {
  if (!(await source.fill())) throw new ConnectionEnded("connection closed within a body");
}

class LengthBody implements Body {
  readonly trailers = NO_TRAILERS;
  readonly length: number;
  #left: number;
  #taken = 0;
  readonly #source: ByteSource;

  constructor(source: ByteSource, length: number) {
    this.#source = source;
    this.length = length;
    this.#left = length;
  }

  take(): Uint8Array | undefined | null {
    this.#release();
    if (this.#left === 0) return null;
    const { buffered } = this.#source;
    if (buffered.length === 0) return undefined;
    const piece = buffered.length > this.#left ? buffered.subarray(0, this.#left) : buffered;
    this.#taken = piece.length;
    this.#left -= piece.length;
    return piece;
  }

  wait(): Promise<void> {
    this.#release();
    return more(this.#source);
  }

  /** The piece handed out last stays in the source until it is done with. */
  #release(): void {
    if (this.#taken > 0) this.#source.consume(this.#taken);
    this.#taken = 0;
  }
}

class CloseBody implements Body {
  readonly length = undefined;
  readonly trailers = NO_TRAILERS;
  #taken = 0;
  #ended = false;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  take(): Uint8Array | undefined | null {
    if (this.#taken > 0) this.#source.consume(this.#taken);
    const { buffered } = this.#source;
    this.#taken = buffered.length;
    if (buffered.length > 0) return buffered;
    return this.#ended ? null : undefined;
  }

  async wait(): Promise<void> {
    if (this.#taken > 0) this.#source.consume(this.#taken);
    this.#taken = 0;
    if (!(await this.#source.fill())) this.#ended = true;
  }
}

class ChunkedBody implements Body {
  readonly length = undefined;
  trailers: Fields = NO_TRAILERS;
  #state: "size" | "data" | "data-end" | "trailers" | "end" = "size";
  #left = 0;
  #taken = 0;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  take(): Uint8Array | undefined | null {
    this.#release();
    for (;;) {
      const { buffered } = this.#source;
      switch (this.#state) {
        case "end":
          return null;
        case "size":
          if (!this.#readSize()) return undefined;
          break;
        case "data": {
          if (buffered.length === 0) return undefined;
          const piece = buffered.length > this.#left ? buffered.subarray(0, this.#left) : buffered;
          this.#taken = piece.length;
          return piece;
        }
        case "data-end":
          if (buffered.length < 2) return undefined;
          if (buffered[0] !== 13 || buffered[1] !== 10) {
            throw new ProtocolViolation("chunk is longer than its size says");
          }
          this.#source.consume(2);
          this.#state = "size";
          break;
        case "trailers":
          if (!this.#readTrailers()) return undefined;
      }
    }
  }

  wait(): Promise<void> {
    this.#release();
    return more(this.#source);
  }

  #release(): void {
    if (this.#taken === 0) return;
    this.#source.consume(this.#taken);
    this.#left -= this.#taken;
    this.#taken = 0;
    if (this.#left === 0) this.#state = "data-end";
  }

  #readSize(): boolean {
    const { buffered } = this.#source;
    const feed = buffered.indexOf(10);
    if (feed < 0 ? buffered.length > MAX_CHUNK_LINE : feed > MAX_CHUNK_LINE) {
      throw new ProtocolViolation("chunk size line is too long");
    }
    if (feed < 0) return false;
    const line = feed > 0 && buffered[feed - 1] === 13
      ? CHUNK_LINE.exec(buffered.toString("latin1", 0, feed - 1))
      : null;
    if (line === null) throw new ProtocolViolation("chunk size is malformed");
    this.#left = parseInt(line[1]!, 16);
    this.#source.consume(feed + 1);
    this.#state = this.#left === 0 ? "trailers" : "data";
    return true;
  }

  #readTrailers(): boolean {
    const { buffered } = this.#source;
    if (buffered.length < 2) return false;
    if (buffered[0] === 13 && buffered[1] === 10) {
      this.#source.consume(2);
      this.#state = "end";
      return true;
    }
    const end = buffered.indexOf("\r\n\r\n", 0, "latin1");
    if (end < 0 ? buffered.length > MAX_TRAILER_BYTES : end > MAX_TRAILER_BYTES) {
      throw new ProtocolViolation("trailers are too large");
    }
    if (end < 0) return false;
    const fields: Fields = [];
    const fault = parseFieldLines(buffered.toString("latin1", 0, end).split("\r\n"), 0, fields, []);
    if (fault !== undefined) throw new ProtocolViolation(`trailers: ${fault}`);
    this.trailers = fields;
    this.#source.consume(end + 4);
    this.#state = "end";
    return true;
  }
}

/** The body that `framing` describes, or `undefined` when there is none. */
export function readBody(
  source: ByteSource,
  framing: Exclude<Framing, { kind: "bad" }>,
): Body | undefined {
  switch (framing.kind) {
    case "none":
      return undefined;
    case "length":
      return new LengthBody(source, framing.length);
    case "chunked":
      return new ChunkedBody(source);
    case "close":
      return new CloseBody(source);
  }
}
