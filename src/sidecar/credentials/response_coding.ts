/** Content codings (RFC 9110, 8.4.1): what is coded is decoded, to be searched. */
import type { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import type { Body } from "../../net/byte_source.ts";
import { unseen } from "./response_failure.ts";

/** What is asked for and decoded. */
export const KNOWN_CODINGS: ReadonlySet<string> = new Set([
  "gzip",
  "x-gzip",
  "deflate",
  "br",
  "zstd",
]);

/** One over the other; more make no sense but to whoever wants to keep a reader busy. */
const MOST_CODINGS = 3;

/** The codings of a content, in the order in which they were applied; `undefined` for unknown ones. */
export function codingsOf(values: readonly string[]): string[] | undefined {
  const codings = values.join(",").split(",").map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
  const isKnown = codings.length <= MOST_CODINGS &&
    codings.every((coding) => KNOWN_CODINGS.has(coding));
  return isKnown ? codings : undefined;
}

/** A content that is decoded as it is read. */
export interface DecodedContent {
  readonly body: Body;
  /** Gives back what decoders hold, megabytes outside of the heap, when nobody reads on. */
  close(): void;
}

/** The content itself. What cannot be decoded breaks off. */
export function decodedContent(coded: Body, codings: readonly string[]): DecodedContent {
  const layers: DecodedBody[] = [];
  let body = coded;
  for (const coding of codings.toReversed()) {
    const layer = new DecodedBody(body, coding);
    layers.push(layer);
    body = layer;
  }
  return { body, close: () => layers.forEach((layer) => layer.close()) };
}

/** So much may come from little; from then on no content expands like this unless it is meant to. */
const FREE_BYTES = 64 * 1024 * 1024;
const MOST_EXPANSION = 1_100;

/** What a server may want its reader to remember is 8 MiB at most (RFC 9659). */
const ZSTD_WINDOW_LOG = 23;

/** A body under one content coding, decoded no faster than it is read. */
class DecodedBody implements Body {
  readonly length = undefined;
  readonly #source: Body;
  readonly #coding: string;
  #decoder: Transform | undefined;
  #next: Uint8Array | undefined | null;
  #error: unknown;
  #wake: (() => void) | undefined;
  #writing = false;
  #inputEnded = false;
  #closed = false;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(source: Body, coding: string) {
    this.#source = source;
    this.#coding = coding;
  }

  get trailers(): Body["trailers"] {
    return this.#source.trailers;
  }

  take(): Uint8Array | undefined | null {
    if (this.#next === null) return null;
    const piece = this.#next ?? this.#read();
    this.#next = undefined;
    return piece;
  }

  /** Nothing more is read of it. */
  close(): void {
    this.#closed = true;
    this.#decoder?.destroy();
    this.#notify();
  }

  async wait(): Promise<void> {
    for (;;) {
      if (this.#closed) throw unseen("is not read any more");
      if (this.#error !== undefined) {
        this.#decoder?.destroy();
        throw unseen(`${this.#coding} content cannot be decoded`, this.#error);
      }
      this.#next = this.#read();
      if (this.#next !== undefined) return;
      if (this.#writing || this.#inputEnded) await this.#news();
      else await this.#feed();
    }
  }

  /** What is decoded, `null` at the end. */
  #read(): Uint8Array | undefined | null {
    const decoder = this.#decoder;
    if (decoder === undefined) return this.#inputEnded ? null : undefined;
    const piece = decoder.read() as Buffer | null;
    if (piece === null) return decoder.readableEnded ? null : undefined;
    this.#bytesOut += piece.length;
    if (this.#bytesOut > FREE_BYTES && this.#bytesOut > this.#bytesIn * MOST_EXPANSION) {
      decoder.destroy();
      throw unseen("content expands beyond measure");
    }
    return piece;
  }

  /** The piece stays valid until it is written: nothing more is taken before. */
  async #feed(): Promise<void> {
    const piece = this.#source.take();
    if (piece === undefined) return await this.#source.wait();
    if (piece === null) {
      this.#inputEnded = true;
      this.#decoder?.end();
      return;
    }
    if (piece.length === 0) return;
    this.#bytesIn += piece.length;
    this.#decoder ??= this.#start(piece);
    this.#writing = true;
    this.#decoder.write(piece, () => {
      this.#writing = false;
      this.#notify();
    });
  }

  #start(first: Uint8Array): Transform {
    const decoder = decoderFor(this.#coding, first);
    decoder.on("readable", this.#notify);
    decoder.on("end", this.#notify);
    decoder.on("error", (error) => {
      this.#error = error;
      this.#notify();
    });
    return decoder;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  readonly #notify = (): void => {
    this.#wake?.();
    this.#wake = undefined;
  };
}

function decoderFor(coding: string, first: Uint8Array): Transform {
  switch (coding) {
    case "br":
      return zlib.createBrotliDecompress();
    case "zstd":
      return zlib.createZstdDecompress({
        params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
      });
    case "deflate":
      // Some servers leave the wrapper of zlib out (RFC 9110, 8.4.1.2).
      return isZlib(first) ? zlib.createInflate() : zlib.createInflateRaw();
    default:
      return zlib.createGunzip();
  }
}

/** RFC 1950, 2.2. */
function isZlib(first: Uint8Array): boolean {
  const isDeflate = (first[0]! & 0x0f) === 8 && first[0]! >> 4 <= 7;
  return isDeflate && (first.length < 2 || (first[0]! * 256 + first[1]!) % 31 === 0);
}
