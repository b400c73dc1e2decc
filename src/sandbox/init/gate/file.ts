import { cString, errno, libc } from "./libc.ts";

/** A file as the kernel knows it, whatever it is called. */
export interface FileIdentity {
  readonly device: string;
  readonly inode: bigint;
  readonly size: bigint;
  /** Of its content and of itself, down to the nanosecond. */
  readonly version: string;
  readonly isRegular: boolean;
  /** Somebody may execute it. */
  readonly isExecutable: boolean;
}

const AT_EMPTY_PATH = 0x1000;
const AT_FDCWD = -100;
const BASIC_STATS = 0x7ff;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

const stats = new Uint8Array(256);
const view = new DataView(stats.buffer);
const NO_PATH = cString("");

function identity(result: number): FileIdentity | undefined {
  if (result !== 0) return undefined;
  const moment = (at: number) => `${view.getBigInt64(at, true)}.${view.getUint32(at + 8, true)}`;
  return {
    device: `${view.getUint32(136, true)}:${view.getUint32(140, true)}`,
    inode: view.getBigUint64(32, true),
    size: view.getBigUint64(40, true),
    version: `${moment(112)} ${moment(96)}`,
    isRegular: (view.getUint16(28, true) & S_IFMT) === S_IFREG,
    isExecutable: (view.getUint16(28, true) & 0o111) !== 0,
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

/** Whether two are one and the same file. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** A name of this file in this state. */
export function identityKey({ device, inode, size, version }: FileIdentity): string {
  return `${device} ${inode} ${size} ${version}`;
}

const link = new Uint8Array(4096);
const decoder = new TextDecoder();

/** Where a symbolic link of ours leads, `undefined` where there is none. */
export function readLink(path: string): string | undefined {
  const count = Number(libc.readlink(cString(path), link, BigInt(link.length)));
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
