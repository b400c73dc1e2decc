/** Frames of HTTP/2 (RFC 9113, sections 4 and 6). */
import { Buffer } from "node:buffer";

/** Frame types. */
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

/** Frame flags. */
export const END_STREAM = 0x01;
export const ACK = 0x01;
export const END_HEADERS = 0x04;
export const PADDED = 0x08;
export const WITH_PRIORITY = 0x20;

/** Settings that matter here. */
export const ENABLE_PUSH = 2;
export const MAX_CONCURRENT_STREAMS = 3;
export const INITIAL_WINDOW_SIZE = 4;
export const MAX_FRAME_SIZE = 5;
export const MAX_HEADER_LIST_SIZE = 6;

/** Error codes (RFC 9113, section 7). */
export const NO_ERROR = 0;
export const PROTOCOL_ERROR = 1;
export const INTERNAL_ERROR = 2;
export const FLOW_CONTROL_ERROR = 3;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const CANCEL = 8;
export const COMPRESSION_ERROR = 9;
export const ENHANCE_YOUR_CALM = 11;

/** What a client sends before its first frame. */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Size of a frame header. */
export const FRAME_HEADER = 9;

/** The largest payload that either side may send unless told otherwise. */
export const DEFAULT_MAX_FRAME = 16_384;

/** The largest flow-control window. */
export const MAX_WINDOW = 0x7fff_ffff;

/** The window of a connection, and of its streams, before anything is said. */
export const DEFAULT_WINDOW = 65_535;

/** The peer broke the rules in a way that the connection does not survive. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A whole frame. `payload` is copied. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array,
): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, FRAME_HEADER);
  return bytes;
}

/** A frame whose payload is a list of 32-bit numbers. */
export function numbersFrame(type: number, streamId: number, ...numbers: number[]): Buffer {
  const payload = Buffer.allocUnsafe(numbers.length * 4);
  for (const [i, number] of numbers.entries()) payload.writeUInt32BE(number, i * 4);
  return frame(type, 0, streamId, payload);
}

/** A SETTINGS frame. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * 6);
  for (const [i, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(SETTINGS, 0, 0, payload);
}

/** A header block as HEADERS and as many CONTINUATION frames as it takes. */
export function headersFrames(
  streamId: number,
  block: Buffer,
  endStream: boolean,
  max: number,
): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += max) {
    const last = at + max >= block.length;
    const flags = (last ? END_HEADERS : 0) | (at === 0 && endStream ? END_STREAM : 0);
    const type = at === 0 ? HEADERS : CONTINUATION;
    frames.push(frame(type, flags, streamId, block.subarray(at, at + max)));
  }
  return frames;
}

/** The payload of a DATA or HEADERS frame without its padding and priority. */
export function unpadded(type: number, flags: number, payload: Buffer): Buffer {
  let start = 0;
  let end = payload.length;
  if ((flags & PADDED) !== 0) {
    if (payload.length === 0) throw new ConnectionError(FRAME_SIZE_ERROR, "padding is missing");
    start = 1;
    end -= payload[0]!;
  }
  if (type === HEADERS && (flags & WITH_PRIORITY) !== 0) start += 5;
  if (start > end) throw new ConnectionError(PROTOCOL_ERROR, "padding is larger than its frame");
  return payload.subarray(start, end);
}
