import { decodeName } from "./names.ts";
import {
  AT_FDCWD,
  checked,
  cString,
  libc,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
} from "./libc.ts";

const OPEN_DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/** A name in a directory. */
export interface Entry {
  readonly name: string;
  /** `undefined` where the file system does not tell before it is asked for the file itself. */
  readonly kind: "directory" | "file" | "link" | "special" | undefined;
}

/**
 * Opens the directory `name` in another one. A link is none, wherever it leads.
 *
 * @throws {SystemCallError}
 */
export function openDirectory(parent: number, name: string): number {
  return checked(libc().openat(parent, cString(name), OPEN_DIRECTORY, 0));
}

/**
 * Opens a directory by its path, which has to be a real one: only its last component is looked at
 * without following.
 *
 * @throws {SystemCallError}
 */
export function openRoot(path: string): number {
  return openDirectory(AT_FDCWD, path);
}

/**
 * Opens a file for reading. A link, and what waits for somebody at its other end, is none.
 *
 * @throws {SystemCallError}
 */
export function openFile(parent: number, name: string): number {
  return checked(
    libc().openat(parent, cString(name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0),
  );
}

const KINDS: Readonly<Record<number, Entry["kind"]>> = {
  4: "directory",
  8: "file",
  10: "link",
  1: "special",
  2: "special",
  6: "special",
  12: "special",
};

const buffer = new Uint8Array(64 * 1024);
const view = new DataView(buffer.buffer);

/**
 * The names in an open directory, from its beginning, in the order of the file system.
 *
 * @throws {SystemCallError}
 */
export function entriesOf(descriptor: number): Entry[] {
  const entries: Entry[] = [];
  for (;;) {
    const length = checked(libc().getdents64(descriptor, buffer, BigInt(buffer.length)));
    if (length === 0) return entries;
    // struct linux_dirent64: inode, offset, u16 length at 16, u8 type at 18, name from 19.
    for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
      const name = decodeName(buffer.subarray(at + 19, buffer.indexOf(0, at + 19)));
      if (name !== "." && name !== "..") entries.push({ name, kind: KINDS[buffer[at + 18]!] });
    }
  }
}

const linkBuffer = new Uint8Array(4096);

/**
 * Where a link leads.
 *
 * @throws {SystemCallError}
 */
export function readLink(parent: number, name: string): string {
  const size = BigInt(linkBuffer.length);
  const length = checked(libc().readlinkat(parent, cString(name), linkBuffer, size));
  return decodeName(linkBuffer.subarray(0, length));
}
