import { ensurePrivateDirectory } from "../config/paths.ts";
import { err, type FirmaError, ok, type Result, unwrap } from "../core/result.ts";
import { join } from "../core/path.ts";
import type { Approval } from "./approval.ts";
import { parseApproval } from "./parse_approval.ts";

/** Lines beyond this many for each approval that is worth keeping are written anew without the rest. */
const SLACK = 4;
const SLACK_LINES = 1_000;

/**
 * Approvals on disk: a file of JSON lines (mode 0600) in a directory of mode 0700, each line an
 * approval as it was after a change, the last one of its name counts. A file belongs to whoever holds
 * its lock; what a Sidecar that is gone has left, the next one takes over.
 */
export class Journal {
  readonly #directory: string;
  #path: string;
  #file: Deno.FsFile;
  #lines: number;

  private constructor(directory: string, path: string, file: Deno.FsFile, lines: number) {
    this.#directory = directory;
    this.#path = path;
    this.#file = file;
    this.#lines = lines;
  }

  /**
   * Opens a file of its own in `directory`, with the approvals in it that others have left.
   * `damaged` hears of files that cannot be believed; they are set aside, and what they approved
   * is approved no more.
   */
  static open(
    directory: string,
    damaged: (error: FirmaError) => void,
  ): Result<{ readonly journal: Journal; readonly kept: readonly Approval[] }> {
    try {
      unwrap(ensurePrivateDirectory(directory));
      const left = adopt(directory, damaged);
      const kept = left.flatMap(({ approvals }) => approvals);
      const { path, file } = write(directory, kept);
      for (const { discard } of left) discard();
      return ok({ journal: new Journal(directory, path, file, kept.length), kept });
    } catch (cause) {
      return unwritable(directory, cause);
    }
  }

  /** Notes an approval as it is now. `durably`: it is on the disk when this returns. */
  append(approval: Approval, durably: boolean): Result<void> {
    try {
      writeAll(this.#file, lineOf(approval));
      if (durably) this.#file.syncDataSync();
      this.#lines++;
      return ok(undefined);
    } catch (cause) {
      return unwritable(this.#path, cause);
    }
  }

  /** Leaves out what does not count any more, once that is most of it. */
  compact(liveCount: number, live: () => readonly Approval[]): Result<void> {
    if (this.#lines < SLACK_LINES + SLACK * liveCount) return ok(undefined);
    try {
      const kept = live();
      const { path, file } = write(this.#directory, kept);
      const [oldPath, oldFile] = [this.#path, this.#file];
      this.#path = path;
      this.#file = file;
      this.#lines = kept.length;
      Deno.removeSync(oldPath);
      oldFile.close();
      return ok(undefined);
    } catch (cause) {
      return unwritable(this.#directory, cause);
    }
  }

  /** Lets go of the file; removes it when nothing in it is worth keeping. */
  close(isEmpty: boolean): void {
    if (isEmpty) {
      try {
        Deno.removeSync(this.#path);
      } catch {
        // The next one finds nothing in it that counts.
      }
    }
    this.#file.close();
  }
}

const SUFFIX = ".jsonl";

interface Left {
  readonly approvals: readonly Approval[];
  readonly discard: () => void;
}

/** Takes every file that nobody holds. */
function adopt(directory: string, damaged: (error: FirmaError) => void): Left[] {
  const left: Left[] = [];
  for (const { name, isFile } of [...Deno.readDirSync(directory)]) {
    if (!isFile || !name.endsWith(SUFFIX)) continue;
    const path = join(directory, name);
    const file = openExisting(path);
    if (file === undefined) continue;
    // Whoever took it over a moment ago has removed it, and this lock is on nothing.
    if (!file.tryLockSync(true) || file.statSync().nlink === 0) {
      file.close();
      continue;
    }
    const approvals = read(path);
    if (!approvals.ok) {
      Deno.renameSync(path, `${path}.damaged`);
      file.close();
      damaged(approvals.error);
      continue;
    }
    left.push({
      approvals: approvals.value,
      discard: () => {
        Deno.removeSync(path);
        file.close();
      },
    });
  }
  return left;
}

function openExisting(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, { read: true, write: true });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

/** A line that was being written when its Sidecar ended was never answered, and does not count. */
function read(path: string): Result<Approval[]> {
  const lines = Deno.readTextFileSync(path).split("\n");
  lines.pop();
  const approvals = new Map<string, Approval>();
  for (const [index, line] of lines.entries()) {
    const approval = parseApproval(line);
    if (approval === undefined) {
      return err({
        code: "APPROVALS_DAMAGED",
        message: `Cannot take over the approvals in "${path}": line ${index + 1} is none`,
        cure: "what waited there has to be asked for again",
        at: { file: path, line: index + 1 },
      });
    }
    approvals.set(approval.id, approval);
  }
  return ok([...approvals.values()]);
}

/** Nobody finds the file under its name before it is whole and locked. */
function write(directory: string, approvals: readonly Approval[]) {
  const path = join(directory, `${crypto.randomUUID()}${SUFFIX}`);
  const draft = `${path}.new`;
  const file = Deno.openSync(draft, { append: true, createNew: true, mode: 0o600 });
  try {
    if (!file.tryLockSync(true)) throw new Error("somebody else has locked it");
    for (const approval of approvals) writeAll(file, lineOf(approval));
    file.syncDataSync();
    Deno.renameSync(draft, path);
    return { path, file };
  } catch (cause) {
    file.close();
    throw cause;
  }
}

function lineOf(approval: Approval): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(approval)}\n`);
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

function unwritable(path: string, cause: unknown): Result<never> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return err({
    code: "APPROVALS_UNWRITABLE",
    message: `Cannot keep approvals in "${path}": ${reason}`,
    cure: "make the data directory writable and free disk space",
    cause,
  });
}
