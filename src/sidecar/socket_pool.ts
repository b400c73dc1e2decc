import { dirname, join } from "../core/path.ts";

/** How many sessions a Sidecar serves at once. */
export const SESSION_SLOTS = 256;

/** Longest path of a socket, relative to the directory of a run or a daemon. */
export const LONGEST_SOCKET = `w0/s${SESSION_SLOTS - 1}/proxy.sock`;

/**
 * The sockets of one worker. Their paths come from a fixed set, because a worker
 * may only listen on paths that it was created for. Each front socket has a
 * directory of its own: that is what a sandbox mounts, so that a new worker's
 * socket shows up there and the sockets of other sessions do not.
 */
export class SocketPool {
  readonly directory: string;
  /** Every path that the worker may use. */
  readonly paths: readonly string[];
  readonly #taken = new Set<string>();

  constructor(directory: string) {
    this.directory = directory;
    this.paths = Array.from(
      { length: SESSION_SLOTS },
      (_, slot) => join(directory, `s${slot}`, "proxy.sock"),
    );
  }

  /** The sockets of the data plane of the run whose directory this is. */
  static ofRun(runDirectory: string): SocketPool {
    return new SocketPool(join(runDirectory, "w0"));
  }

  /** Makes a front socket's directory and reserves it; `undefined` when all are taken. */
  async take(): Promise<string | undefined> {
    const path = this.paths.find((candidate) => !this.#taken.has(candidate));
    if (path === undefined) return undefined;
    this.#taken.add(path);
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return path;
  }

  /**
   * Gives a front socket back, with its directory. A sandbox that has not ended yet still holds
   * that one; the next session gets another, or its socket would show up in the old sandbox.
   */
  release(path: string): void {
    try {
      Deno.removeSync(dirname(path), { recursive: true });
    } catch (cause) {
      // What cannot be removed is never given to anybody again.
      if (!(cause instanceof Deno.errors.NotFound)) return;
    }
    this.#taken.delete(path);
  }

  /** Removes the sockets that a worker that ended left behind, or listening again would fail. */
  async clear(): Promise<void> {
    for (const path of this.#taken) {
      await Deno.remove(path).catch((cause) => {
        if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      });
    }
  }
}
