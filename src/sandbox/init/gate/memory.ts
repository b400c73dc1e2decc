import { address, libc } from "./libc.ts";

/** Reads from the memory of another process. What it says is the agent's to choose. */

const PAGE = 4096n;
const CHUNK = 4096;
const POINTER = 8;

const space = new Uint8Array(CHUNK);
const local = new Uint8Array(16);
const localView = new DataView(local.buffer);
localView.setBigUint64(0, address(space), true);
const remote = new Uint8Array(16);
const remoteView = new DataView(remote.buffer);
const decoder = new TextDecoder();

/** Fills `space` from `at` to the end of its page; how much there was, 0 where nothing is. */
function readPage(pid: number, at: bigint): number {
  const length = PAGE - (at % PAGE);
  localView.setBigUint64(8, length, true);
  remoteView.setBigUint64(0, at, true);
  remoteView.setBigUint64(8, length, true);
  return Math.max(0, Number(libc.process_vm_readv(pid, local, 1n, remote, 1n, 0n)));
}

/** Reading failed: memory that is not there or not readable, or more of it than `most` bytes. */
export type MemoryFault = "unreadable" | "too long";

/** The text up to the next zero byte. What is not UTF-8 reads as U+FFFD. */
export function readString(pid: number, at: bigint, most: number): string | MemoryFaultBox {
  let parts: Uint8Array | undefined;
  for (let from = at;;) {
    const count = readPage(pid, from);
    if (count === 0) return UNREADABLE;
    const piece = space.subarray(0, count);
    const end = piece.indexOf(0);
    const taken = end < 0 ? piece : piece.subarray(0, end);
    const size = (parts?.length ?? 0) + taken.length;
    if (size > most) return TOO_LONG;
    if (end >= 0 && parts === undefined) return decoder.decode(taken);
    const joined = new Uint8Array(size);
    if (parts !== undefined) joined.set(parts);
    joined.set(taken, size - taken.length);
    parts = joined;
    if (end >= 0) return decoder.decode(parts);
    from += BigInt(count);
  }
}

/** A fault, told apart from any text. */
export interface MemoryFaultBox {
  readonly fault: MemoryFault;
}
const UNREADABLE: MemoryFaultBox = { fault: "unreadable" };
const TOO_LONG: MemoryFaultBox = { fault: "too long" };

/** How much of a list of strings to read. */
export interface ListLimits {
  readonly strings: number;
  /** Of all strings together. */
  readonly bytes: number;
}

/** The beginning of a list of strings. */
export interface ListStart {
  readonly texts: readonly string[];
  /** There is no more of it. */
  readonly isWhole: boolean;
}

/** The strings of a list that a null pointer ends; a null list is an empty one. */
export function readList(
  pid: number,
  at: bigint,
  { strings, bytes }: ListLimits,
): ListStart | MemoryFaultBox {
  const texts: string[] = [];
  if (at === 0n) return { texts, isWhole: true };
  let left = bytes;
  for (let from = at;;) {
    const count = Math.floor(readPage(pid, from) / POINTER);
    if (count === 0) return UNREADABLE;
    const pointers = new BigUint64Array(space.slice(0, count * POINTER).buffer);
    for (const pointer of pointers) {
      if (pointer === 0n) return { texts, isWhole: true };
      const text = texts.length < strings ? readString(pid, pointer, left) : TOO_LONG;
      if (typeof text !== "string") {
        return text.fault === "too long" ? { texts, isWhole: false } : text;
      }
      left -= text.length + 1;
      texts.push(text);
    }
    from += BigInt(count * POINTER);
  }
}
