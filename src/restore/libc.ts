/**
 * The calls of the C library by which snapshots are taken, compared and brought back. They work on
 * descriptors of directories, so that no component of a path is ever looked up through a link that
 * an agent planted, and names are bytes, as the kernel has them. Deno's own calls do neither.
 */
import { err, type FirmaError, FirmaException, type Result } from "../core/result.ts";
import { encodeName, hasEscapes } from "./names.ts";

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  close: { parameters: ["i32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  fchownat: { parameters: ["i32", "buffer", "u32", "u32", "i32"], result: "i32" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  inotify_init1: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "i32"], result: "i32" },
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let library: Library | undefined;

/** The library, opened when it is first asked for. */
export function libc(): Library {
  return library ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
}

/** Flags and numbers of Linux that are the same on x86-64 and arm64, but for those that are looked up. */
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;
const isArm = Deno.build.arch === "aarch64";
/** These two have other numbers on arm64. */
export const O_DIRECTORY = isArm ? 0o40000 : 0o200000;
export const O_NOFOLLOW = isArm ? 0o100000 : 0o400000;
export const O_CLOEXEC = 0o2000000;
/** Opening a pipe or a device that somebody put there must not wait for anything. */
export const O_NONBLOCK = 0o4000;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;

export const ENOENT = 2;
export const EAGAIN = 11;
export const EEXIST = 17;
export const ENOTDIR = 20;
export const ELOOP = 40;

const NAMES: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  2: "no such file or directory",
  5: "input/output error",
  13: "permission denied",
  17: "it is there already",
  20: "it is not a directory",
  21: "it is a directory",
  23: "too many open files in the system",
  24: "too many open files",
  27: "it is too large for the file system",
  28: "no space left on the device",
  30: "the file system is read-only",
  39: "the directory is not empty",
  40: "it is a symbolic link",
  122: "the disk quota is used up",
};

/** A failed call with the error number that it left. */
export class SystemCallError extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super(NAMES[errno] ?? `error number ${errno}`);
    this.name = "SystemCallError";
    this.errno = errno;
  }
}

/** The error number of the call just made. */
export function errno(): number {
  return new Deno.UnsafePointerView(libc().__errno_location()!).getInt32();
}

/**
 * Passes a result through unless it is negative.
 *
 * @throws {SystemCallError}
 */
export function checked(result: number | bigint): number {
  if (result < 0) throw new SystemCallError(errno());
  return Number(result);
}

const encoder = new TextEncoder();
const nameBuffer = new Uint8Array(3 * 4096);

/** `name` as a C string; valid until the next one is made. */
export function cString(name: string): Uint8Array<ArrayBuffer> {
  if (hasEscapes(name)) return ownCString(name);
  const { read, written } = encoder.encodeInto(name, nameBuffer.subarray(0, -1));
  if (read < name.length) return ownCString(name);
  nameBuffer[written] = 0;
  return nameBuffer;
}

/** `name` as a C string of its own. */
export function ownCString(name: string): Uint8Array<ArrayBuffer> {
  const bytes = encodeName(name);
  const string = new Uint8Array(bytes.length + 1);
  string.set(bytes);
  return string;
}

/** Does something with a descriptor and closes it again. */
export function withDescriptor<T>(descriptor: number, use: (descriptor: number) => T): T {
  try {
    return use(descriptor);
  } finally {
    libc().close(descriptor);
  }
}

/** The value, or what a failed call was in words. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Turns what was thrown into a failure, whose message ends with the reason. */
export function caught<T>(
  { code, message }: Pick<FirmaError, "code" | "message">,
  cause: unknown,
): Result<T> {
  if (cause instanceof FirmaException) return err(cause.error);
  return err({ code, message: `${message}: ${reasonOf(cause)}`, cause });
}
