/**
 * System calls that build a file system out of descriptors (open_tree(2), move_mount(2),
 * mount_setattr(2)): what a descriptor stands for stays the same, whatever is renamed meanwhile.
 */
import { checked, cString } from "../libc.ts";

const SYMBOLS = {
  close: { parameters: ["i32"], result: "i32" },
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  mknodat: { parameters: ["i32", "buffer", "u32", "u64"], result: "i32" },
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "buffer"], result: "i32" },
  mountSetattr: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "u32", "buffer", "usize"],
    result: "i64",
  },
  moveMount: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "i32", "buffer", "u32"],
    result: "i64",
  },
  openTree: { name: "syscall", parameters: ["i64", "i32", "buffer", "u32"], result: "i64" },
  openat2: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "buffer", "usize"],
    result: "i64",
  },
  pivotRoot: { name: "syscall", parameters: ["i64", "buffer", "buffer"], result: "i64" },
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
} as const;

/** The same on every machine, but for the oldest of them. */
const OPEN_TREE = 428n;
const MOVE_MOUNT = 429n;
const OPENAT2 = 437n;
const MOUNT_SETATTR = 442n;
const PIVOT_ROOT = { x86_64: 155n, aarch64: 41n }[Deno.build.arch];

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const CLOSE_ON_EXEC = 0x80000;
const PATH_ONLY = 0x200000;
const MOVE_FROM_AND_TO_DESCRIPTORS = 0x4 | 0x40;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_IN_ROOT = 0x10;
const MS_NOSUID = 2n;
const MS_NODEV = 4n;
const MNT_DETACH = 2;
const REGULAR_FILE = 0o100000;

/** What a mount does not let anybody do. */
export const NO_PRIVILEGES = 2 | 4; // set-user-ID bits, devices
export const READ_ONLY = 1 | NO_PRIVILEGES;

const libc = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
const NOTHING = cString("");

/** A file or directory that was opened to name it, not to read it. */
export interface Place extends Disposable {
  readonly descriptor: number;
}

function place(descriptor: number): Place {
  return { descriptor, [Symbol.dispose]: () => void libc.close(descriptor) };
}

/** `resolve` as in openat2(2). */
function open(root: number, path: string, resolve: number): Place {
  const how = new BigUint64Array([BigInt(PATH_ONLY | CLOSE_ON_EXEC), 0n, BigInt(resolve)]);
  const bytes = new Uint8Array(how.buffer);
  const opened = libc.openat2(OPENAT2, root, cString(path), bytes, BigInt(bytes.length));
  return place(checked(`find "${path}"`, opened));
}

/** @throws {SystemCallError} */
export function openRoot(path: string): Place {
  return open(AT_FDCWD, path, 0);
}

/**
 * What lies at `path` below `root`; a symbolic link on the way is an error.
 *
 * @throws {SystemCallError}
 */
export function openStraight({ descriptor }: Place, path: string): Place {
  return open(descriptor, path, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

/**
 * What lies at `path` for a process whose root directory is `root`: no link leads out of it.
 *
 * @throws {SystemCallError}
 */
export function openWithin({ descriptor }: Place, path: string): Place {
  return open(descriptor, path, RESOLVE_IN_ROOT);
}

/** @throws {SystemCallError} */
export function makeDirectory({ descriptor }: Place, name: string, mode: number): void {
  checked(`make directory "${name}"`, libc.mkdirat(descriptor, cString(name), mode));
}

/** @throws {SystemCallError} */
export function makeFile({ descriptor }: Place, name: string, mode: number): void {
  checked(
    `make file "${name}"`,
    libc.mknodat(descriptor, cString(name), REGULAR_FILE | mode, 0n),
  );
}

/** @throws {SystemCallError} */
export function makeLink({ descriptor }: Place, name: string, pointsTo: string): void {
  checked(`make link "${name}"`, libc.symlinkat(cString(pointsTo), descriptor, cString(name)));
}

/** Mounts a fresh file system in memory over a directory. @throws {SystemCallError} */
export function mountMemory({ descriptor }: Place, mode: string): void {
  const kind = cString("tmpfs");
  const target = cString(`/proc/self/fd/${descriptor}`);
  const options = cString(`mode=${mode}`);
  checked("mount memory", libc.mount(kind, target, kind, MS_NOSUID | MS_NODEV, options));
}

/** What a place shows, with all that is mounted below it, to be mounted elsewhere. */
export function copyTree({ descriptor }: Place): Place {
  const flags = AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | CLOSE_ON_EXEC;
  return place(checked("copy a mount", libc.openTree(OPEN_TREE, descriptor, NOTHING, flags)));
}

/** Takes from a mount, or from all that are below it as well, what it lets be done. */
export function restrict(
  { descriptor }: Place,
  attributes: number,
  { recursive }: { readonly recursive: boolean },
): void {
  const wanted = new Uint8Array(new BigUint64Array([BigInt(attributes), 0n, 0n, 0n]).buffer);
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  checked(
    "restrict a mount",
    libc.mountSetattr(MOUNT_SETATTR, descriptor, NOTHING, flags, wanted, BigInt(wanted.length)),
  );
}

/** Mounts a copied tree. @throws {SystemCallError} */
export function attach(tree: Place, target: Place): void {
  checked(
    "attach a mount",
    libc.moveMount(
      MOVE_MOUNT,
      tree.descriptor,
      NOTHING,
      target.descriptor,
      NOTHING,
      MOVE_FROM_AND_TO_DESCRIPTORS,
    ),
  );
}

/**
 * Makes the mount at `path` the root directory of every thread that has the present one, and gives
 * that up: nothing of it can be reached by a path any more. The working directory is the root before
 * and after, and in between: another thread that asks for it meanwhile would be told of none.
 *
 * @throws {SystemCallError}
 */
export function enter(path: string): void {
  Deno.chdir("/");
  const root = cString(path);
  // Both at one place, the new one below (pivot_root(2)): no directory for the old one is needed.
  checked("change the root", libc.pivotRoot(PIVOT_ROOT, root, root));
  checked("give up the old root", libc.umount2(cString("/"), MNT_DETACH));
}

/** Runs `work` with every bit of what it makes as it says. */
export function withoutMask<T>(work: () => T): T {
  const mask = libc.umask(0);
  try {
    return work();
  } finally {
    libc.umask(mask);
  }
}
