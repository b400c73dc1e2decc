import { join } from "../core/path.ts";
import { checked, cString, EAGAIN, errno, libc, SystemCallError } from "./libc.ts";

/** What tells that something in a directory went, came or was written (inotify(7)). */
const IN_CLOSE_WRITE = 0x8;
const IN_MOVED_FROM = 0x40;
const IN_MOVED_TO = 0x80;
const IN_DELETE = 0x200;
const IN_ATTRIB = 0x4;
const IN_ONLYDIR = 0x01000000;
const IN_DONT_FOLLOW = 0x02000000;
const IN_Q_OVERFLOW = 0x4000;
const WANTED = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB |
  IN_ONLYDIR | IN_DONT_FOLLOW;
const IN_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;

/** Which directories something happened in; `"all"` where the kernel does not tell any more. */
export type Stirred = ReadonlySet<string> | "all";

const buffer = new Uint8Array(256 * 1024);
const view = new DataView(buffer.buffer);

/**
 * Hears of changes in given directories of a workspace, and in no other: a link that an agent makes
 * does not lead it elsewhere, and what is new is nobody's loss. Events may be lost; what has
 * happened is for the caller to find out.
 */
export class TreeWatch implements Disposable {
  readonly #workspace: string;
  readonly #descriptor: number;
  readonly #paths = new Map<number, string>();
  /** Whether every directory is watched: the kernel allows each user so many. */
  #isWhole = true;

  /** @throws {SystemCallError} where the kernel has none to give */
  constructor(workspace: string) {
    this.#workspace = workspace;
    this.#descriptor = checked(libc().inotify_init1(IN_NONBLOCK_CLOEXEC));
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Watches a directory, by its path below the workspace; one that is watched already stays so. */
  add(path: string): void {
    const absolute = path === "" ? this.#workspace : join(this.#workspace, path);
    const watch = libc().inotify_add_watch(this.#descriptor, cString(absolute), WANTED);
    if (watch >= 0) this.#paths.set(watch, path);
    else if (errno() === ENOSPC) this.#isWhole = false;
  }

  /** What happened since it was last asked. */
  read(): Stirred {
    const stirred = new Set<string>();
    let isLost = false;
    for (;;) {
      const length = libc().read(this.#descriptor, buffer, BigInt(buffer.length));
      if (length < 0) {
        if (errno() === EAGAIN) return isLost ? "all" : stirred;
        throw new SystemCallError(errno());
      }
      // struct inotify_event: watch, mask, cookie, length of the name, name.
      for (let at = 0; at < length; at += 16 + view.getUint32(at + 12, true)) {
        if (view.getUint32(at + 4, true) & IN_Q_OVERFLOW) isLost = true;
        const path = this.#paths.get(view.getInt32(at, true));
        if (path !== undefined) stirred.add(path);
      }
    }
  }

  [Symbol.dispose](): void {
    libc().close(this.#descriptor);
  }
}

/** The user has as many watches as the kernel allows. */
const ENOSPC = 28;
