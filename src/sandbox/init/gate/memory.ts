import { address, libc } from "./libc.ts";

/** Reads from the memory of another process. What it says is the agent's to choose. */

const PAGE = 4096;
const POINTER = 8;
/** Addresses beyond are no program's, and no number would hold them. */
const HIGHEST = 2 ** 53;
/** How many pages are kept, each in the place of its number. */
const PLACES = 16;
/** A new program's list and its strings lie within so many. */
const AHEAD = 4;

const decoder = new TextDecoder();
const bytes = new Uint8Array(PLACES * PAGE);
const view = new DataView(bytes.buffer);
const bytesAddress = Number(address(bytes));
/** Which page is in each place. */
const kept: number[] = new Array(PLACES).fill(-1);
/** Room for two `struct iovec` each. */
const local = new Uint8Array(32);
const localView = new DataView(local.buffer);
const remote = new Uint8Array(32);
const remoteView = new DataView(remote.buffer);

/** What was read stays only as long as nothing else may have become of it. */
function forget(): void {
  kept.fill(-1);
}

function setVector(vectors: DataView, index: number, at: number, size: number): void {
  vectors.setUint32(16 * index, at % 2 ** 32, true);
  vectors.setUint32(16 * index + 4, Math.floor(at / 2 ** 32), true);
  vectors.setUint32(16 * index + 8, size, true);
}

/** Where in `bytes` a page belongs. */
function startOf(page: number): number {
  return (page % PLACES) * PAGE;
}

/** Reads a page and, as far as they are there, those behind it. `false` where it is not there. */
function load(pid: number, page: number, ahead: number): boolean {
  const place = page % PLACES;
  const count = Math.min(ahead, PLACES - place);
  setVector(localView, 0, bytesAddress + startOf(page), count * PAGE);
  setVector(remoteView, 0, page * PAGE, count * PAGE);
  const read = Number(libc.process_vm_readv(pid, local, 1n, remote, 1n, 0n));
  // Which of those that were there have been written over is not told.
  for (let index = 0; index < count; index++) {
    kept[place + index] = (index + 1) * PAGE <= read ? page + index : -1;
  }
  return kept[place] === page;
}

/** Reads two pages at once: each reading of another process costs more than what it reads. */
function loadTwo(pid: number, one: number, two: number): void {
  if (one % PLACES === two % PLACES) return;
  setVector(localView, 0, bytesAddress + startOf(one), PAGE);
  setVector(remoteView, 0, one * PAGE, PAGE);
  setVector(localView, 1, bytesAddress + startOf(two), PAGE);
  setVector(remoteView, 1, two * PAGE, PAGE);
  const read = Number(libc.process_vm_readv(pid, local, 2n, remote, 2n, 0n));
  kept[one % PLACES] = read >= PAGE ? one : -1;
  kept[two % PLACES] = read >= 2 * PAGE ? two : -1;
}

/** The place in `bytes` of what is at an address; -1 where nothing is. */
function find(pid: number, at: number, ahead: number): number {
  const page = Math.floor(at / PAGE);
  const isKept = kept[page % PLACES] === page;
  if (!isKept && (at >= HIGHEST || !load(pid, page, ahead))) return -1;
  return startOf(page) + at % PAGE;
}

/** Reading failed: memory that is not there or not readable, or more of it than `most` bytes. */
export type MemoryFault = "unreadable" | "too long";

/** The text up to the next zero byte. What is not UTF-8 reads as U+FFFD. */
export function readString(pid: number, at: bigint, most: number): string | MemoryFaultBox {
  forget();
  return stringAt(pid, Number(at), most, 1);
}

/**
 * What a call names its program by, and the first of its arguments, `""` where there is none: to be
 * asked for before anything else is read, and only where it matters.
 */
export function readCall(
  pid: number,
  call: { readonly path: bigint; readonly argv: bigint },
  longest: { readonly path: number; readonly first: number },
): { readonly path: string | MemoryFaultBox; readonly first: () => string | MemoryFaultBox } {
  forget();
  const [path, argv] = [Number(call.path), Number(call.argv)];
  if (argv !== 0 && path < HIGHEST && argv < HIGHEST) {
    loadTwo(pid, Math.floor(path / PAGE), Math.floor(argv / PAGE));
  }
  const text = stringAt(pid, path, longest.path, 1);
  return { path: text, first: () => firstAt(pid, argv, longest.first) };
}

/** The first string of a list, `""` where there is none. */
export function readFirst(pid: number, at: bigint, most: number): string | MemoryFaultBox {
  forget();
  return firstAt(pid, Number(at), most);
}

function firstAt(pid: number, at: number, most: number): string | MemoryFaultBox {
  if (at === 0) return "";
  const pointer = pointerAt(pid, at, 1);
  if (pointer === undefined) return UNREADABLE;
  return pointer === 0 ? "" : stringAt(pid, pointer, most, 1);
}

function stringAt(pid: number, at: number, most: number, ahead: number): string | MemoryFaultBox {
  let before: Uint8Array | undefined;
  for (let from = at;;) {
    const start = find(pid, from, ahead);
    if (start < 0) return UNREADABLE;
    const end = start - start % PAGE + PAGE;
    const zero = bytes.indexOf(0, start);
    const isEnd = zero >= 0 && zero < end;
    const piece = bytes.subarray(start, isEnd ? zero : end);
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
  forget();
  return pointerAt(pid, Number(at), 1);
}

/** The strings of a list that a null pointer ends; a null list is an empty one. */
export function readList(
  pid: number,
  at: bigint,
  { strings: most, bytes: mostBytes }: ListLimits,
): ListStart | MemoryFaultBox {
  const texts: string[] = [];
  if (at === 0n) return { texts, isWhole: true };
  forget();
  let left = mostBytes;
  for (let from = Number(at);; from += POINTER) {
    const pointer = pointerAt(pid, from, AHEAD);
    if (pointer === undefined) return UNREADABLE;
    if (pointer === 0) return { texts, isWhole: true };
    const text = texts.length < most ? stringAt(pid, pointer, left, AHEAD) : TOO_LONG;
    if (typeof text !== "string") {
      return text.fault === "too long" ? { texts, isWhole: false } : text;
    }
    left -= text.length + 1;
    texts.push(text);
  }
}

/**
 * The arguments of a program that has not begun yet, whose list is at `at`. The kernel has laid them
 * down one behind the other, and their number before the list: few are read in one piece.
 */
export function readStartingArguments(
  pid: number,
  at: bigint,
  limits: ListLimits,
): ListStart | MemoryFaultBox {
  forget();
  const list = Number(at);
  const count = pointerAt(pid, list - POINTER, AHEAD);
  if (count === undefined) return UNREADABLE;
  const texts = count > 0 && count <= limits.strings
    ? laidDown(pid, list, count, limits.bytes)
    : undefined;
  return texts === undefined ? readList(pid, at, limits) : { texts, isWhole: true };
}

/** `undefined` where they have to be read one by one. */
function laidDown(pid: number, list: number, count: number, most: number): string[] | undefined {
  const from = pointerAt(pid, list, AHEAD);
  // The environment follows: its first variable is behind the last argument.
  const to = pointerAt(pid, list + (count + 1) * POINTER, AHEAD);
  if (from === undefined || to === undefined || to <= from || to - from > most) return undefined;
  const [start, end] = [find(pid, from, AHEAD), find(pid, to - 1, AHEAD)];
  // Pages that follow each other do so in `bytes` as well, but for the last and the first place.
  const isWhole = start >= 0 && end - start === to - 1 - from && isKept(from, to);
  if (!isWhole) return undefined;
  const texts = decoder.decode(bytes.subarray(start, end)).split("\0");
  return texts.length === count && bytes[end] === 0 ? texts : undefined;
}

/** Whether all from one address to another is there. */
function isKept(from: number, to: number): boolean {
  const last = Math.floor((to - 1) / PAGE);
  for (let page = Math.floor(from / PAGE); page <= last; page++) {
    if (kept[page % PLACES] !== page) return false;
  }
  return true;
}

/** A pointer may lie across the end of a page. */
function pointerAt(pid: number, at: number, ahead: number): number | undefined {
  const place = find(pid, at, ahead);
  if (place < 0) return undefined;
  if (place % PAGE + POINTER <= PAGE) {
    return view.getUint32(place, true) + view.getUint32(place + 4, true) * 2 ** 32;
  }
  let value = 0;
  for (let byte = 0; byte < POINTER; byte++) {
    const next = find(pid, at + byte, ahead);
    if (next < 0) return undefined;
    value += bytes[next]! * 2 ** (8 * byte);
  }
  return value;
}
