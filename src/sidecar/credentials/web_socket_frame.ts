/** What frames of WebSocket are made of, in both directions (RFC 6455, 5.2). */
import { Buffer } from "node:buffer";

/** Of the first byte. */
export const FINAL = 0x80;
export const RESERVED = 0x70;
export const OPCODE = 0x0f;
/** An opcode with this bit is one of control. */
export const IS_CONTROL = 0x08;
export const CONTINUATION = 0;
export const TEXT = 1;
/** Of the second byte. */
export const MASKED = 0x80;
/** The longest payload of a control frame, in bytes (RFC 6455, 5.5). */
export const LONGEST_CONTROL = 125;

const SHORT = 0x7f;
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;

/** How many bytes a head has before its mask, when `count` bytes of it are known. */
export function headSize(head: ArrayLike<number>, count: number): number {
  if (count < 2) return 2;
  const short = head[1]! & SHORT;
  return short === TWO_BYTES ? 4 : short === EIGHT_BYTES ? 10 : 2;
}

/** How long a payload is by its whole head, in bytes; `undefined` when that is longer than any. */
export function payloadSize(head: Buffer): number | undefined {
  const short = head[1]! & SHORT;
  if (short === TWO_BYTES) return head.readUInt16BE(2);
  if (short < TWO_BYTES) return short;
  const size = head.readBigUInt64BE(2);
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(size);
}

/** The head of a frame that is not masked: its first byte, and how long its payload is. */
export function formatHead(first: number, size: number): Buffer {
  if (size < TWO_BYTES) return Buffer.from([first, size]);
  const head = Buffer.alloc(size < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = head.length === 4 ? TWO_BYTES : EIGHT_BYTES;
  if (head.length === 4) head.writeUInt16BE(size, 2);
  else head.writeBigUInt64BE(BigInt(size), 2);
  return head;
}
