/**
 * What a daemon keeps in `<state>/daemon/` (mode 0700), and how others find it by that: a lock that
 * its supervisor holds as long as it lives, a marker for each component, logs for people.
 */
import { ensurePrivateDirectory, type Environment, stateDir } from "../config/paths.ts";
import { userId } from "../config/user_id.ts";
import { join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type Component, type Marker, parseMarker } from "./marker.ts";
import { processStart } from "./process_start.ts";

export type { Component, Marker, MarkerState } from "./marker.ts";

/** Where everything of a daemon lies. */
export interface DaemonPaths {
  readonly directory: string;
  /** Locked (flock) by whoever keeps the daemon running; holds that one's pid. */
  readonly lock: string;
  readonly supervisorLog: string;
  readonly controlSocket: string;
  readonly decisionSocket: string;
  /** Directory of what agents without a sandbox trust, session by session. */
  readonly roots: string;
  marker(component: Component): string;
  log(component: Component): string;
}

/** The paths of the daemon that belongs to the state directory of `env`. */
export function daemonPaths(env: Environment): DaemonPaths {
  const directory = join(stateDir(env), "daemon");
  return {
    directory,
    lock: join(directory, "stack.lock"),
    supervisorLog: join(directory, "supervisor.log"),
    controlSocket: join(directory, "control.sock"),
    decisionSocket: join(directory, "decision.sock"),
    roots: join(directory, "roots"),
    marker: (component) => join(directory, `${component}.json`),
    log: (component) => join(directory, `${component}.log`),
  };
}

/** Makes the directory of the daemon, private to this user. */
export function makeDaemonDirectory(env: Environment): Result<DaemonPaths> {
  const paths = daemonPaths(env);
  for (const directory of [stateDir(env), paths.directory]) {
    const made = ensurePrivateDirectory(directory);
    if (!made.ok) return made;
  }
  return ok(paths);
}

/** A component of a daemon, as its marker has it and as it is. */
export interface Found {
  readonly marker: Marker;
  /** Whether the process that the marker names still runs. */
  readonly isAlive: boolean;
}

/**
 * Finds a component of the daemon; `undefined` when there is no marker of it. Fails with
 * `MARKER_DAMAGED`, and with `DIRECTORY_NOT_PRIVATE` where somebody else could have written the
 * marker: in `/tmp` anybody can be there first.
 */
export function findComponent(
  component: Component,
  env: Environment,
): Result<Found | undefined> {
  const paths = daemonPaths(env);
  for (const directory of [stateDir(env), paths.directory]) {
    const state = ownState(directory);
    if (state === "absent") return ok(undefined);
    if (state !== "own") return notPrivate(directory, state);
  }
  const file = paths.marker(component);
  const text = readOwn(file);
  if (!text.ok || text.value === undefined) return text as Result<undefined>;
  const marker = parseMarker(text.value);
  if (!marker.ok) return err({ ...marker.error, at: { file } });
  if (marker.value.component !== component) {
    return err({
      code: "MARKER_DAMAGED",
      message: `Cannot use the marker of a daemon: it is one of ${marker.value.component}`,
      at: { file },
    });
  }
  const { pid, pid_start } = marker.value;
  return ok({ marker: marker.value, isAlive: processStart(pid) === pid_start });
}

/** Writes a marker: whoever reads it finds the old one or the new one. */
export function writeMarker(marker: Marker, paths: DaemonPaths): Result<void> {
  const file = paths.marker(marker.component);
  const draft = `${file}.new`;
  try {
    // What a writer that was killed has left; only who holds the lock writes here.
    Deno.removeSync(draft);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) return unwritable(file, cause);
  }
  try {
    Deno.writeTextFileSync(draft, `${JSON.stringify(marker, null, 2)}\n`, {
      createNew: true,
      mode: 0o600,
    });
    Deno.renameSync(draft, file);
    return ok(undefined);
  } catch (cause) {
    return unwritable(file, cause);
  }
}

/** Removes the marker of a component, where there is one. */
export function removeMarker(component: Component, paths: DaemonPaths): void {
  try {
    Deno.removeSync(paths.marker(component));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

function ownState(directory: string): string {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(directory);
    if (!isDirectory) return "it is not a directory of its own";
    if (uid !== userId()) return `it belongs to user ${uid}`;
    return (mode ?? 0) & 0o077 ? "others can enter it" : "own";
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "absent";
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** More than any marker needs. */
const MOST_BYTES = 64 * 1024;

function readOwn(file: string): Result<string | undefined> {
  try {
    const { isFile, uid, size } = Deno.lstatSync(file);
    if (!isFile || uid !== userId() || size > MOST_BYTES) {
      return err({
        code: "MARKER_DAMAGED",
        message: `Cannot use "${file}": it is not a small file of this user`,
        at: { file },
      });
    }
    return ok(Deno.readTextFileSync(file));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return ok(undefined);
    const reason = cause instanceof Error ? cause.message : String(cause);
    return err({ code: "MARKER_DAMAGED", message: `Cannot read "${file}": ${reason}`, cause });
  }
}

function notPrivate(directory: string, state: string): Result<never> {
  return err({
    code: "DIRECTORY_NOT_PRIVATE",
    message: `Cannot look for a daemon in "${directory}": ${state}`,
    cure: "remove it, or set FIRMA_STATE_DIR to a directory of your own",
  });
}

function unwritable(file: string, cause: unknown): Result<never> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return err({ code: "MARKER_NOT_WRITTEN", message: `Cannot write "${file}": ${reason}`, cause });
}
