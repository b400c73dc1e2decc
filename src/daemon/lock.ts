import { err, ok, type Result } from "../core/result.ts";
import { isRunning, type ProcessId } from "./end_process.ts";
import { processStart } from "./process_start.ts";
import type { DaemonPaths } from "./state.ts";

/**
 * Takes the lock of a daemon for as long as this process lives, or until it is disposed of. Fails
 * with `DAEMON_RUNS` when somebody has it, and names that process. The kernel lets go of it
 * however its holder ends.
 */
export function takeLock(paths: DaemonPaths): Result<Disposable> {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(paths.lock, { read: true, write: true, create: true, mode: 0o600 });
    if (!file.tryLockSync(true)) {
      file.close();
      return err(taken(paths));
    }
    file.truncateSync(0);
    const text = `${Deno.pid} ${processStart(Deno.pid)}\n`;
    file.writeSync(new TextEncoder().encode(text));
    const held = file;
    return ok({
      [Symbol.dispose]() {
        held.truncateSync(0);
        held.close();
      },
    });
  } catch (cause) {
    file?.close();
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot lock "${paths.lock}": ${reason}`;
    return err({ code: "LOCK_FAILED", message, cause });
  }
}

/** The process that has the lock; `undefined` when nobody has, or nobody knows who. */
export function lockHolder({ lock }: DaemonPaths): ProcessId | undefined {
  try {
    const match = /^(\d{1,10}) (\d{1,16})\n/.exec(Deno.readTextFileSync(lock));
    if (match === null) return undefined;
    const holder = { pid: Number(match[1]), pid_start: Number(match[2]) };
    return holder.pid > 0 && isRunning(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function taken(paths: DaemonPaths) {
  const holder = lockHolder(paths);
  return {
    code: "DAEMON_RUNS",
    message: `Cannot start: a Sidecar runs already, ${
      holder ? `kept by process ${holder.pid}` : `by whoever holds "${paths.lock}"`
    }`,
    cure: "firma sidecar status shows it, firma sidecar stop ends it",
  };
}
