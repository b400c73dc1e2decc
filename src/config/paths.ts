import { join, resolve } from "../core/path.ts";
import { sha256 } from "../core/sha256.ts";
import { err, FirmaException, ok, type Result } from "../core/result.ts";
import { userId } from "./user_id.ts";

/** The environment, or the part of it that matters. */
export type Environment = Readonly<Record<string, string | undefined>>;

function absolute(value: string | undefined): string | undefined {
  // The XDG base directory specification: a relative path is to be ignored.
  return value?.startsWith("/") ? value : undefined;
}

/**
 * Where the state of running processes lives: `FIRMA_STATE_DIR`, else
 * `$XDG_RUNTIME_DIR/firma`, else `/tmp/firma-<uid>`. An absolute path.
 */
export function stateDir(env: Environment): string {
  if (env.FIRMA_STATE_DIR) return resolve(env.FIRMA_STATE_DIR);
  const runtime = absolute(env.XDG_RUNTIME_DIR);
  return runtime ? join(runtime, "firma") : `/tmp/firma-${userId()}`;
}

/**
 * Where keys, the audit log and trust records live: `$XDG_DATA_HOME/firma`,
 * else `~/.local/share/firma`. An absolute path.
 *
 * @throws {FirmaException} `NO_HOME` when neither variable is set.
 */
export function dataDir(env: Environment): string {
  const data = absolute(env.XDG_DATA_HOME);
  if (data) return join(data, "firma");
  const home = absolute(env.HOME);
  if (home) return join(home, ".local/share/firma");
  throw new FirmaException({
    code: "NO_HOME",
    message: "Cannot find the data directory: neither XDG_DATA_HOME nor HOME is an absolute path",
    cure: "set HOME",
  });
}

/** The key that signs the audit log of this user. */
export function auditKeyFile(env: Environment): string {
  return join(dataDir(env), "keys/audit.key");
}

/** The audit log of this user. */
export function auditFile(env: Environment): string {
  return join(dataDir(env), "audit/audit.jsonl");
}

/** Where the signing key of this user's Authority lies unless a file says otherwise. */
export function authorityKeyFile(env: Environment): string {
  return join(dataDir(env), "keys/authority.key");
}

/** Where the run directories of all runs of this user lie. */
export function runsDir(env: Environment): string {
  return join(stateDir(env), "run");
}

/**
 * Where the durable data of one project lies, such as its revocations; the
 * project is known by the path of its `firma.toml`.
 */
export function projectDataDir(env: Environment, configFile: string): string {
  return join(dataDir(env), "projects", fileKey(configFile));
}

/** A short file name that stands for an absolute path. */
export function fileKey(path: string): string {
  return sha256(path).slice(0, 32);
}

/**
 * Makes `path` a directory that only this user can enter (mode 0700), with its
 * parents where they are missing. Refuses a symbolic link and a directory of
 * another user: in `/tmp` anybody can be there first.
 */
export function ensurePrivateDirectory(path: string): Result<void> {
  const refuse = (state: string, isThere = true) =>
    err({
      code: "DIRECTORY_NOT_PRIVATE",
      message: `Cannot use directory "${path}": ${state}`,
      cure: isThere
        ? "remove it, or set FIRMA_STATE_DIR and XDG_DATA_HOME to directories of your own"
        : "see what HOME, XDG_RUNTIME_DIR, XDG_DATA_HOME and FIRMA_STATE_DIR say: one leads there",
    });
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = Deno.lstatSync(path);
    if (!found.isDirectory) return refuse("it is a symbolic link");
    if (found.uid !== userId()) return refuse(`it belongs to user ${found.uid}`);
    if ((found.mode ?? 0) & 0o077) Deno.chmodSync(path, 0o700);
    return ok(undefined);
  } catch (cause) {
    const isThere = cause instanceof Deno.errors.AlreadyExists;
    return refuse(cause instanceof Error ? cause.message : String(cause), isThere);
  }
}

/**
 * Whether there is a directory at `path` into which nobody but this user can have put anything.
 * What lies in another one is somebody's trap: a pipe that never opens, a link to elsewhere.
 */
export function isOwnDirectory(path: string): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(path);
    return isDirectory && uid === userId() && ((mode ?? 0) & 0o022) === 0;
  } catch {
    return false;
  }
}
