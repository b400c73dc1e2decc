import type { Environment } from "../config/paths.ts";
import { ok, type Result } from "../core/result.ts";
import { endProcess, hasEnded, signal } from "./end_process.ts";
import { endLeftovers, removeSockets } from "./leftovers.ts";
import { lockHolder, takeLock } from "./lock.ts";
import { daemonPaths, findComponent } from "./state.ts";
import { requestStop } from "./stop_request.ts";

/** How a daemon was ended; `killed`: not by itself, so that its last records may be missing. */
export type Stopped = "absent" | "ended" | "killed";

/** How long a daemon, with its Authority, may take beyond what its calls were given. */
const FLUSH_MS = 16_000;

/**
 * Ends the daemon of this state directory, of which calls may take `drainMs` to end. What does not
 * end is killed. Returns when nothing of it is left.
 */
export async function stopDaemon(env: Environment, drainMs: number): Promise<Result<Stopped>> {
  const paths = daemonPaths(env);
  const sidecar = findComponent("sidecar", env);
  if (!sidecar.ok && sidecar.error.code !== "MARKER_DAMAGED") return sidecar;
  const holder = lockHolder(paths);
  let stopped: Stopped = "absent";
  if (holder !== undefined) {
    requestStop(paths, drainMs);
    signal(holder, "SIGTERM");
    stopped = await hasEnded(holder, drainMs + FLUSH_MS) ? "ended" : "killed";
    if (stopped === "killed") await endProcess(holder, 0);
  }
  if (sidecar.ok && sidecar.value === undefined && holder === undefined) return ok("absent");
  const lock = takeLock(paths);
  if (!lock.ok) return lock;
  using _lock = lock.value;
  if (holder === undefined && sidecar.ok && sidecar.value?.isAlive) stopped = "killed";
  const ended = await endLeftovers(paths, env);
  if (!ended.ok) return ended;
  const removed = removeSockets(paths);
  return removed.ok ? ok(stopped) : removed;
}
