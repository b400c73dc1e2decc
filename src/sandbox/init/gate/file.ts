import { cString, ERRNO, errno, libc } from "./libc.ts";

/** A file as the kernel knows it, whatever it is called. */
export interface FileIdentity {
  /** Device and inode. */
  readonly place: string;
  /** Size, and the times of its content and of itself down to the nanosecond. */
  readonly state: string;
  readonly size: number;
  readonly isRegular: boolean;
  /** Somebody may execute it. */
  readonly isExecutable: boolean;
  /** It did not change just now: a further change will have another time. */
  readonly isSettled: boolean;
  /** Place and state once more, as the kernel told them: comparing these costs less. */
  readonly words: Uint32Array;
}

const AT_EMPTY_PATH = 0x1000;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const BASIC_STATS = 0x7ff;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

const stats = new Uint8Array(256);
const view = new DataView(stats.buffer);
const units = new Uint16Array(stats.buffer);
const words = new Uint32Array(stats.buffer);
const NO_PATH = cString("");

/** Bytes of `struct statx` as text that is good for comparing alone: each execution needs some. */
function raw(from: number, to: number): string {
  return String.fromCharCode.apply(null, units.subarray(from / 2, to / 2) as unknown as number[]);
}

const encoder = new TextEncoder();
const lentBytes = new Uint8Array(4096);
const MOST_BYTES_A_UNIT = 3;

/** A short path as a C string, good until the next one: a buffer for each costs more than the call. */
function lent(path: string): Uint8Array<ArrayBuffer> {
  if (path.length * MOST_BYTES_A_UNIT >= lentBytes.length) return cString(path);
  lentBytes[encoder.encodeInto(path, lentBytes).written] = 0;
  return lentBytes;
}

/** The kernel's clock for files goes by ticks, of which a hundred a second are the fewest. */
const TICKS_MS = 50;

const placeRead = () => raw(136, 144) + raw(32, 40);
const stateRead = () => raw(40, 48) + raw(112, 124) + raw(96, 108);

/** Which words of `struct statx` tell one file from another: device and inode. */
const PLACE = [34, 35, 8, 9] as const;
/** And, behind them, one state of it from another. */
const STATE = [10, 11, 28, 29, 30, 24, 25, 26] as const;
const PLACE_AND_STATE = [...PLACE, ...STATE];

/** Whether the first of `words` are those that were just read. */
function isRead(known: Uint32Array, wanted: readonly number[]): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (known[index] !== words[wanted[index]!]) return false;
  }
  return true;
}

function identity(result: number): FileIdentity | undefined {
  if (result !== 0) return undefined;
  const mode = view.getUint16(28, true);
  const changedMs = Number(view.getBigInt64(96, true)) * 1000 + view.getUint32(104, true) / 1e6;
  return {
    place: placeRead(),
    state: stateRead(),
    size: view.getUint32(40, true) + view.getUint32(44, true) * 2 ** 32,
    isRegular: (mode & S_IFMT) === S_IFREG,
    isExecutable: (mode & 0o111) !== 0,
    isSettled: changedMs < Date.now() - TICKS_MS,
    words: Uint32Array.from(PLACE_AND_STATE, (index) => words[index]!),
  };
}

/** The file that a descriptor stands for. */
export function identityOf(descriptor: number): FileIdentity | undefined {
  return identity(libc.statx(descriptor, NO_PATH, AT_EMPTY_PATH, BASIC_STATS, stats));
}

/** The file at a path of ours, links followed. */
export function identityAt(path: string): FileIdentity | undefined {
  return identity(libc.statx(AT_FDCWD, cString(path), 0, BASIC_STATS, stats));
}

/** Whether a path below a directory, as a C string, leads to a file in a state that is known. */
export function isAt(
  directory: number,
  below: Uint8Array<ArrayBuffer>,
  { words: known }: FileIdentity,
): boolean {
  return libc.statx(directory, below, 0, BASIC_STATS, stats) === 0 &&
    isRead(known, PLACE_AND_STATE);
}

/** Whether a path of ours leads to a file, in whatever state it is. */
export function leadsTo(path: string, { words: known }: FileIdentity): boolean {
  return libc.statx(AT_FDCWD, lent(path), 0, BASIC_STATS, stats) === 0 && isRead(known, PLACE);
}

/** Whether a path of ours leads to a file in a state that is known. */
export function leadsToState(path: string, { words: known }: FileIdentity): boolean {
  return libc.statx(AT_FDCWD, lent(path), 0, BASIC_STATS, stats) === 0 &&
    isRead(known, PLACE_AND_STATE);
}

/** Whether nothing is at a path of ours, not even a link. */
export function isMissing(path: string): boolean {
  if (path.includes("\0")) return false;
  const result = libc.statx(AT_FDCWD, cString(path), AT_SYMLINK_NOFOLLOW, BASIC_STATS, stats);
  return result !== 0 && errno() === ERRNO.ENOENT;
}

/** Whether two are one and the same file. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.place === b.place;
}

/** A name of this file in this state. */
export function identityKey({ place, state }: FileIdentity): string {
  return place + state;
}

/** The same in letters that may leave this process. */
export function identityText(identity: FileIdentity): string {
  return [...identityKey(identity)].map((unit) => unit.charCodeAt(0).toString(36)).join(".");
}

const link = new Uint8Array(4096);
const LINK_SIZE = BigInt(link.length);
const decoder = new TextDecoder();

/** Where a symbolic link of ours leads, `undefined` where there is none. */
export function readLink(path: string): string | undefined {
  const count = Number(libc.readlink(lent(path), link, LINK_SIZE));
  return count < 0 ? undefined : decoder.decode(link.subarray(0, count));
}

const O_RDONLY_CLOEXEC = 0x80000;

/** The first `most` bytes of a file of ours, `undefined` when it cannot be read. */
export function readStart(path: string, most: number): Uint8Array<ArrayBuffer> | undefined {
  const descriptor = libc.open(cString(path), O_RDONLY_CLOEXEC);
  if (descriptor < 0) return undefined;
  try {
    const bytes = new Uint8Array(most);
    let size = 0;
    while (size < most) {
      const count = Number(
        libc.read(descriptor, bytes.subarray(size), BigInt(most - size)),
      );
      if (count < 0) return undefined;
      if (count === 0) break;
      size += count;
    }
    return bytes.subarray(0, size);
  } finally {
    libc.close(descriptor);
  }
}

const SYS_OPENAT2 = 437n;
const O_PATH_CLOEXEC = 0x200000n | 0x80000n;
const RESOLVE_IN_ROOT = 0x10n;
/** `struct open_how`. */
const how = new Uint8Array(24);
new DataView(how.buffer).setBigUint64(0, O_PATH_CLOEXEC, true);
new DataView(how.buffer).setBigUint64(16, RESOLVE_IN_ROOT, true);

/**
 * Finds a path as those see it whose root directory `root` is, links of theirs included: a
 * descriptor that only names the file, or an error number below zero.
 */
export function openWithin(root: number, path: string): number {
  const descriptor = Number(libc.openat2(SYS_OPENAT2, BigInt(root), cString(path), how, 24n));
  return descriptor >= 0 ? descriptor : -errno();
}

/** The same for a path of ours. */
export function openPath(path: string): number {
  const descriptor = libc.open(cString(path), Number(O_PATH_CLOEXEC));
  return descriptor >= 0 ? descriptor : -errno();
}
