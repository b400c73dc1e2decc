import { checked, cString, libc, SystemCallError } from "./libc.ts";

const MS_BIND = 4096n;
const GONE: ReadonlySet<number> = new Set([2, 20]); // ENOENT, ENOTDIR
const NOTHING = "/dev/null";

/**
 * Covers sockets of the host's programs, which no read-only mount keeps anybody from connecting
 * to. Here and not among the mounts of bwrap, because programs of the host come and go: bwrap gives
 * up on a place that is gone since it was found.
 *
 * @throws {SystemCallError} when a socket that is there cannot be covered.
 */
export function coverSockets(paths: readonly string[]): void {
  const source = cString(NOTHING);
  const none = cString("");
  for (const path of paths) {
    try {
      checked(`cover "${path}"`, libc.mount(source, cString(path), none, MS_BIND, null));
    } catch (cause) {
      if (!(cause instanceof SystemCallError) || !GONE.has(cause.errno)) throw cause;
    }
  }
}
