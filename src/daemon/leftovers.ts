/** What a daemon that was killed has left, put away before the next one starts. */
import { dirname, join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Environment } from "../config/paths.ts";
import { endProcess } from "./end_process.ts";
import { COMPONENTS } from "./marker.ts";
import { type DaemonPaths, findComponent, removeMarker } from "./state.ts";

/** How long a component that nobody watches over any more may take to end, in milliseconds. */
const GRACE_MS = 3_000;

/**
 * Ends the components of a daemon whose supervisor is gone, and removes their markers. Only for
 * who holds the lock. They end by themselves as well, but perhaps later than the next one starts.
 */
export async function endLeftovers(paths: DaemonPaths, env: Environment): Promise<Result<void>> {
  for (const component of COMPONENTS) {
    const found = findComponent(component, env);
    // A damaged marker names nobody who could be ended; whom it stood for ends by itself.
    if (!found.ok && found.error.code !== "MARKER_DAMAGED") return found;
    const marker = found.ok ? found.value?.marker : undefined;
    if (marker !== undefined && !await endProcess(marker, GRACE_MS)) {
      return err({
        code: "LEFTOVER_STAYS",
        message: `Cannot end the ${component} of an earlier daemon: process ${marker.pid} stays`,
        cure: "find out what it waits for, and end it",
      });
    }
    try {
      removeMarker(component, paths);
    } catch (cause) {
      return unremovable(paths.marker(component), cause);
    }
  }
  return ok(undefined);
}

/** Removes the sockets that a Sidecar of a daemon listened on, and the roots of its sessions. */
export function removeSockets({ directory, controlSocket, decisionSocket, roots }: DaemonPaths) {
  for (const path of [controlSocket, decisionSocket, join(directory, "w0"), roots]) {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) return unremovable(path, cause);
    }
  }
  return ok(undefined);
}

function unremovable(path: string, cause: unknown): Result<never> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return err({
    code: "LEFTOVER_STAYS",
    message: `Cannot remove what an earlier daemon has left in "${dirname(path)}": ${reason}`,
    cause,
  });
}
