import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  checked,
  cString,
  ENOENT,
  ENOTDIR,
  errno,
  libc,
  SystemCallError,
} from "./libc.ts";

/** What kind of thing lies at a path; `special` is a socket, pipe or device. */
export type FileKind = "directory" | "file" | "link" | "special";

/** Seconds since the epoch and nanoseconds of the second. */
export type Moment = readonly [seconds: number, nanoseconds: number];

/** What the kernel says of a file (statx(2)); of a link, of the link itself. */
export interface FileState {
  readonly kind: FileKind;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  readonly modified: Moment;
  /** The inode itself; nobody can set this one. */
  readonly changed: Moment;
}

const S_IFMT = 0o170000;
const KINDS: Readonly<Record<number, FileKind>> = {
  0o040000: "directory",
  0o100000: "file",
  0o120000: "link",
};

/** Type, mode, ids, times, inode and size. */
const BASIC_STATS = 0x7ff;

const buffer = new Uint8Array(256);
const view = new DataView(buffer.buffer);
const EMPTY = new Uint8Array(1);

/** What is at `name` in an open directory, links not followed; `undefined` for nothing. */
export function stateAt(directory: number, name: string): FileState | undefined {
  if (libc().statx(directory, cString(name), AT_SYMLINK_NOFOLLOW, BASIC_STATS, buffer) === 0) {
    return parse();
  }
  const number = errno();
  if (number === ENOENT || number === ENOTDIR) return undefined;
  throw new SystemCallError(number);
}

/** What an open file or directory is. */
export function stateOf(descriptor: number): FileState {
  checked(libc().statx(descriptor, EMPTY, AT_EMPTY_PATH, BASIC_STATS, buffer));
  return parse();
}

/** Reads `struct statx`, whose layout is the same everywhere. */
function parse(): FileState {
  const mode = view.getUint16(28, true);
  const moment = (at: number): Moment => [
    view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
    view.getUint32(at + 8, true),
  ];
  const whole = (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  return {
    kind: KINDS[mode & S_IFMT] ?? "special",
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    device: view.getUint32(136, true) * 2 ** 32 + view.getUint32(140, true),
    inode: whole(32),
    size: whole(40),
    modified: moment(112),
    changed: moment(96),
  };
}

/** Tells whether two moments are the same. */
export function sameMoment(a: Moment, b: Moment): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
