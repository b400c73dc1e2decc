import { userId } from "../config/user_id.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/**
 * Reads a file that holds a secret, such as a key. One that somebody else could
 * have read or placed is refused: a wider mode than 0600, another owner, a
 * symbolic link. `what` names the secret in messages.
 */
export function readPrivateFile(path: string, what: string): Promise<Result<string>> {
  return Promise.try(readPrivateFileSync, path, what);
}

/** What {@linkcode readPrivateFile} does, for those who hold a lock meanwhile. */
export function readPrivateFileSync(path: string, what: string): Result<string> {
  let entry: Deno.FileInfo;
  try {
    entry = Deno.lstatSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    return err({
      code: "KEY_MISSING",
      message: `Cannot read the ${what} "${path}": there is no such file`,
    });
  }
  // Only lstat sees the link itself; only the open file cannot be exchanged any more.
  if (entry.isSymlink) {
    return err(insecure(path, what, "it is a symbolic link", `put the key itself at "${path}"`));
  }
  if (!entry.isFile) {
    return err(insecure(path, what, "it is not a regular file", `move "${path}" away`));
  }
  using file = Deno.openSync(path, { read: true });
  const opened = file.statSync();
  if (opened.ino !== entry.ino || opened.dev !== entry.dev) {
    return err(insecure(path, what, "it was exchanged while it was opened", "try again"));
  }
  const uid = userId();
  if (opened.uid !== null && uid !== null && opened.uid !== uid) {
    return err(insecure(
      path,
      what,
      `it belongs to user ${opened.uid} and this process runs as user ${uid}`,
      `run firma as the owner, or: chown ${uid} "${path}"`,
    ));
  }
  if (opened.mode !== null && (opened.mode & 0o077) !== 0) {
    const mode = (opened.mode & 0o777).toString(8).padStart(4, "0");
    return err(insecure(
      path,
      what,
      `its mode is "${mode}", so others may have read it`,
      `if nobody else could have read it: chmod 600 "${path}"; otherwise delete it for a new key`,
    ));
  }
  return ok(new TextDecoder().decode(readAllSync(file, opened.size)));
}

function readAllSync(file: Deno.FsFile, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

function insecure(path: string, what: string, fault: string, cure: string): FirmaError {
  return {
    code: "KEY_INSECURE",
    message: `Cannot use the ${what} "${path}": ${fault}`,
    cure,
  };
}
