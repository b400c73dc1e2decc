import { join } from "../core/path.ts";
import type { Id } from "../core/id.ts";
import { isId } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import { LONGEST_SOCKET } from "../sidecar/socket_pool.ts";
import { exists } from "../sandbox/paths.ts";
import { SEAL_RECORD } from "../sandbox/seals/record.ts";
import {
  ensurePrivateDirectory,
  type Environment,
  isOwnDirectory,
  runsDir,
  stateDir,
} from "../config/paths.ts";

/** Locked for as long as the run lives; the kernel lets go of it however the run ends. */
const LOCK = "owner.lock";

/** What `sockaddr_un` holds, without its final NUL (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** A run directory younger than this may not be locked yet. */
const SETTLED_MS = 60_000;

/** The directory of one run, `<state>/run/<sbx_id>`. */
export interface RunDirectory extends Disposable {
  readonly path: string;
  /** Deletes it. */
  [Symbol.dispose](): void;
}

/**
 * Where the directory of a run will be.
 *
 * @throws When there is no state directory yet.
 */
export function runDirectoryPath(sandboxId: Id<"sbx">, env: Environment): string {
  return join(Deno.realPathSync(runsDir(env)), sandboxId);
}

/** Makes the directory of a run, private to this user and marked as in use. */
export function createRunDirectory(
  sandboxId: Id<"sbx">,
  env: Environment,
): Result<RunDirectory> {
  for (const directory of [stateDir(env), runsDir(env)]) {
    const made = ensurePrivateDirectory(directory);
    if (!made.ok) return made;
  }
  const path = runDirectoryPath(sandboxId, env);
  if (new TextEncoder().encode(join(path, LONGEST_SOCKET)).length > MAX_SOCKET_PATH) {
    return err({
      code: "STATE_DIR_TOO_LONG",
      message: `Cannot use state directory "${stateDir(env)}": paths of sockets in it are too long`,
      cure: "set FIRMA_STATE_DIR to a shorter path",
    });
  }
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
    const lock = Deno.openSync(join(path, LOCK), { write: true, createNew: true, mode: 0o600 });
    lock.lockSync(true);
    return ok({
      path,
      [Symbol.dispose]() {
        lock.close();
        Deno.removeSync(path, { recursive: true });
      },
    });
  } catch (cause) {
    return err({
      code: "RUN_DIRECTORY_FAILED",
      message: `Cannot make run directory "${path}": ${
        cause instanceof Error ? cause.message : cause
      }`,
      cause,
    });
  }
}

/** Whether the run that made the directory is gone, its lock free, and nothing is left to do. */
function abandoned(directory: string): boolean {
  // What it left in a workspace is set right first, by the next run that seals one.
  if (exists(join(directory, SEAL_RECORD))) return false;
  const { mtime } = Deno.lstatSync(directory);
  if (!mtime || Date.now() - mtime.getTime() < SETTLED_MS) return false;
  try {
    using lock = Deno.openSync(join(directory, LOCK), { write: true });
    return lock.tryLockSync(true);
  } catch (cause) {
    return cause instanceof Deno.errors.NotFound;
  }
}

/**
 * The directories of all runs, sorted, and whether the run is gone that made it. None where
 * somebody else could have put them there.
 */
export function runDirectories(
  env: Environment,
): { readonly path: string; readonly abandoned: boolean }[] {
  if (![stateDir(env), runsDir(env)].every(isOwnDirectory)) return [];
  const names = [...Deno.readDirSync(runsDir(env))]
    .filter((entry) => entry.isDirectory && isId("sbx", entry.name))
    .map(({ name }) => name);
  return names.sort().flatMap((name) => {
    const path = join(runsDir(env), name);
    try {
      return [{ path, abandoned: abandoned(path) }];
    } catch {
      return []; // it ended meanwhile, or another run is cleaning up as well
    }
  });
}

/** Deletes the directories of runs that did not get to do so themselves. Never throws. */
export function removeAbandonedRuns(env: Environment): void {
  try {
    for (const { path, abandoned } of runDirectories(env)) {
      if (abandoned) Deno.removeSync(path, { recursive: true });
    }
  } catch {
    // Another run may be cleaning up as well; the next one tries again.
  }
}
