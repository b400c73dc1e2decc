import { Buffer } from "node:buffer";
import * as h2 from "./frame.ts";

/** A frame; the payload of HEADERS is the whole header block, its continuations included. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A header block that is not whole yet. */
interface HeaderBlock {
  readonly flags: number;
  readonly streamId: number;
  readonly parts: Buffer[];
}

/** Blocks of many small continuations cost more than they say. */
const MAX_CONTINUATIONS = 64;
const EMPTY = Buffer.alloc(0);

/** Cuts what comes into frames and refuses those of a wrong size or at a wrong place. */
export class FrameReader {
  readonly #headBytes: number;
  #awaitsPreface: boolean;
  #rest: Buffer = EMPTY;
  #block: HeaderBlock | undefined;
  #blockSize = 0;
  #first = true;

  /** `headBytes` bounds a header block as it is sent. */
  constructor(awaitsPreface: boolean, headBytes: number) {
    this.#awaitsPreface = awaitsPreface;
    this.#headBytes = headBytes;
  }

  /** Whether the preface or a header block has begun and is not whole. */
  get midway(): boolean {
    return this.#block !== undefined || (this.#awaitsPreface && this.#rest.length > 0);
  }

  /** The frames that are complete with `bytes`. Throws {@linkcode h2.ConnectionError}. */
  *read(bytes: Buffer): Generator<Frame> {
    const data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    if (this.#awaitsPreface) {
      const seen = Math.min(data.length, h2.PREFACE.length);
      if (data.compare(h2.PREFACE, 0, seen, 0, seen) !== 0) {
        throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "preface is wrong");
      }
      if (seen < h2.PREFACE.length) {
        this.#rest = data;
        return;
      }
      this.#awaitsPreface = false;
      at = seen;
    }
    while (data.length - at >= h2.FRAME_HEADER) {
      const size = data.readUIntBE(at, 3);
      if (size > h2.DEFAULT_MAX_FRAME) {
        throw new h2.ConnectionError(h2.FRAME_SIZE_ERROR, "frame is too large");
      }
      const end = at + h2.FRAME_HEADER + size;
      if (end > data.length) break;
      const frame = this.#check({
        type: data[at + 3]!,
        flags: data[at + 4]!,
        streamId: data.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: data.subarray(at + h2.FRAME_HEADER, end),
      });
      at = end;
      if (frame !== undefined) yield frame;
    }
    this.#rest = data.subarray(at);
  }

  /** The frame to act on, if there is one; a block of headers is held until it is whole. */
  #check(frame: Frame): Frame | undefined {
    const { type, flags, streamId, payload } = frame;
    if (this.#first && (type !== h2.SETTINGS || (flags & h2.ACK) !== 0)) {
      throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "first frame is not SETTINGS");
    }
    this.#first = false;
    const block = this.#block;
    if (block !== undefined) {
      if (type !== h2.CONTINUATION || streamId !== block.streamId) {
        throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "header block is interrupted");
      }
      return this.#continue(block, flags, payload);
    }
    checkSize(type, flags, payload.length);
    const ofConnection = type === h2.SETTINGS || type === h2.PING || type === h2.GOAWAY;
    const ofEither = type === h2.WINDOW_UPDATE || type > h2.CONTINUATION;
    if (!ofEither && ofConnection !== (streamId === 0)) {
      throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "frame is for the wrong stream");
    }
    if (type === h2.PUSH_PROMISE || type === h2.CONTINUATION) {
      throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "frame at a wrong place");
    }
    if (type !== h2.HEADERS) return frame;
    this.#blockSize = 0;
    return this.#continue({ flags, streamId, parts: [] }, flags, h2.unpadded(type, flags, payload));
  }

  #continue(
    block: HeaderBlock,
    flags: number,
    part: Buffer,
  ): Frame | undefined {
    const whole = (flags & h2.END_HEADERS) !== 0;
    // A part that waits for the others must not hold all that was read along with it.
    block.parts.push(whole ? part : Buffer.from(part));
    this.#blockSize += part.length;
    if (this.#blockSize > this.#headBytes || block.parts.length > MAX_CONTINUATIONS) {
      throw new h2.ConnectionError(h2.ENHANCE_YOUR_CALM, "header block is too large");
    }
    this.#block = whole ? undefined : block;
    if (!whole) return undefined;
    const payload = block.parts.length === 1 ? block.parts[0]! : Buffer.concat(block.parts);
    return { type: h2.HEADERS, flags: block.flags, streamId: block.streamId, payload };
  }
}

function checkSize(type: number, flags: number, size: number): void {
  const right = type === h2.RST_STREAM || type === h2.WINDOW_UPDATE
    ? size === 4
    : type === h2.PING
    ? size === 8
    : type === h2.PRIORITY
    ? size === 5
    : type === h2.SETTINGS
    ? size % 6 === 0 && ((flags & h2.ACK) === 0 || size === 0)
    : type !== h2.GOAWAY || size >= 8;
  if (!right) throw new h2.ConnectionError(h2.FRAME_SIZE_ERROR, "frame has a wrong size");
}
