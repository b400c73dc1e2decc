import { address, libc } from "./libc.ts";

/** Reads from the memory of another process. What it says is the agent's to choose. */

const PAGE = 4096;
const POINTER = 8;
/** Addresses beyond are no program's, and no number would hold them. */
const HIGHEST = 2 ** 53;

const decoder = new TextDecoder();
const local = new Uint8Array(16);
const localView = new DataView(local.buffer);
const remote = new Uint8Array(16);
const remoteView = new DataView(remote.buffer);

function setAddress(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

/**
 * What was read last: from an address to the end of its page. Strings of a list lie beside each
 * other, so that one reading is often enough for many.
 */
class Window {
  readonly bytes = new Uint8Array(PAGE);
  readonly view = new DataView(this.bytes.buffer);
  readonly #address = Number(address(this.bytes));
  #from = 0;
  #length = 0;

  /** What was read stays only as long as nothing else may have become of it. */
  forget(): void {
    this.#length = 0;
  }

  /** The place in `bytes` of what is at an address, which `end` is behind; -1 where nothing is. */
  find(pid: number, at: number): number {
    if (at >= this.#from && at < this.#from + this.#length) return at - this.#from;
    this.#length = 0;
    if (at >= HIGHEST) return -1;
    const wanted = PAGE - at % PAGE;
    setAddress(localView, 0, this.#address);
    setAddress(localView, 8, wanted);
    setAddress(remoteView, 0, at);
    setAddress(remoteView, 8, wanted);
    const count = Number(libc.process_vm_readv(pid, local, 1n, remote, 1n, 0n));
    if (count <= 0) return -1;
    this.#from = at;
    this.#length = count;
    return 0;
  }

  get end(): number {
    return this.#length;
  }
}

const strings = new Window();
const pointers = new Window();

/** Reading failed: memory that is not there or not readable, or more of it than `most` bytes. */
export type MemoryFault = "unreadable" | "too long";

/** The text up to the next zero byte. What is not UTF-8 reads as U+FFFD. */
export function readString(pid: number, at: bigint, most: number): string | MemoryFaultBox {
  strings.forget();
  return stringAt(pid, Number(at), most);
}

function stringAt(pid: number, at: number, most: number): string | MemoryFaultBox {
  let before: Uint8Array | undefined;
  for (let from = at;;) {
    const start = strings.find(pid, from);
    if (start < 0) return UNREADABLE;
    const zero = strings.bytes.indexOf(0, start);
    const isEnd = zero >= 0 && zero < strings.end;
    const piece = strings.bytes.subarray(start, isEnd ? zero : strings.end);
    const size = (before?.length ?? 0) + piece.length;
    if (size > most) return TOO_LONG;
    if (isEnd && before === undefined) return decoder.decode(piece);
    const joined = new Uint8Array(size);
    if (before !== undefined) joined.set(before);
    joined.set(piece, size - piece.length);
    before = joined;
    if (isEnd) return decoder.decode(before);
    from += piece.length;
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

/** The number of eight bytes at an address; `undefined` where nothing is. */
export function readNumber(pid: number, at: bigint): number | undefined {
  pointers.forget();
  return pointerAt(pid, Number(at));
}

/** The strings of a list that a null pointer ends; a null list is an empty one. */
export function readList(
  pid: number,
  at: bigint,
  { strings: most, bytes }: ListLimits,
): ListStart | MemoryFaultBox {
  const texts: string[] = [];
  if (at === 0n) return { texts, isWhole: true };
  pointers.forget();
  strings.forget();
  let left = bytes;
  for (let from = Number(at);; from += POINTER) {
    const pointer = pointerAt(pid, from);
    if (pointer === undefined) return UNREADABLE;
    if (pointer === 0) return { texts, isWhole: true };
    const text = texts.length < most ? stringAt(pid, pointer, left) : TOO_LONG;
    if (typeof text !== "string") {
      return text.fault === "too long" ? { texts, isWhole: false } : text;
    }
    left -= text.length + 1;
    texts.push(text);
  }
}

/** A pointer may lie across the end of a page. */
function pointerAt(pid: number, at: number): number | undefined {
  const place = pointers.find(pid, at);
  if (place < 0) return undefined;
  if (place + POINTER <= pointers.end) {
    const { view } = pointers;
    return view.getUint32(place, true) + view.getUint32(place + 4, true) * 2 ** 32;
  }
  let value = 0;
  for (let byte = 0; byte < POINTER; byte++) {
    const next = pointers.find(pid, at + byte);
    if (next < 0) return undefined;
    value += pointers.bytes[next]! * 2 ** (8 * byte);
  }
  return value;
}
