import { basename, join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { readCheckpointNote } from "./checkpoint_file.ts";
import { type ClosedFile, closedFiles, closedPath, parseClosedPath } from "./closed_file.ts";
import { type Line, linesIn, readChunks } from "./lines.ts";
import { openIfThere } from "./small_files.ts";
import { unpackedBytes } from "./packing.ts";

/** One of the files that hold the lines of a log. */
export interface LogPart {
  readonly path: string;
  /** How many bytes lie on the disk: of the file that takes lines, as many as are looked at. */
  readonly bytes: number;
  /** What was written, unpacked. */
  open(): AsyncIterable<Uint8Array>;
}

/** A log as it was at one moment. */
export interface LogSnapshot {
  /** The log itself, or the closed file of one that alone is looked at. */
  readonly path: string;
  /** Whether these are all files of the log that there are. */
  readonly isWhole: boolean;
  /** Oldest first. */
  readonly parts: readonly LogPart[];
  /** The checkpoint beside it; absent without one. */
  readonly note?: string;
}

const LOCK_TIMEOUT_MS = 2_000;

/**
 * The files of the log that `path` names: itself with its closed files, a directory that holds one
 * log, or a single closed file. Throws what the file system throws.
 */
export async function snapshotLog(path: string): Promise<Result<LogSnapshot>> {
  const isDirectory = Deno.statSync(path).isDirectory;
  const single = isDirectory ? undefined : parseClosedPath(path);
  if (single !== undefined) {
    const plain = closedPath(single.log, single.first, single.last);
    const note = readCheckpointNote(plain);
    const parts = [closedPart(single)];
    return ok({ path, isWhole: false, parts, ...(note !== undefined && { note }) });
  }
  const log = isDirectory ? logIn(path) : ok(path);
  if (!log.ok) return log;
  const snapshot = await wholeSnapshot(log.value);
  return ok(snapshot);
}

/** The lines of all parts, one part after the other. */
export async function* linesOfParts(parts: readonly LogPart[]): AsyncGenerator<Line> {
  for (const part of parts) yield* linesIn(part.open());
}

/** The files of a log at one moment, between the batches of writers. */
async function wholeSnapshot(log: string): Promise<LogSnapshot> {
  // A writer that was stopped in mid-batch must not stop whoever reads too.
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    using file = openIfThere(log);
    let locked = file?.tryLockSync(false) ?? true;
    while (!locked && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      locked = file!.tryLockSync(false);
    }
    const opened = file?.statSync();
    const named = file && Deno.statSync(log);
    // Closed while we waited: then its lock is of no use.
    if (opened?.ino !== named?.ino && performance.now() < deadline) continue;
    const closed = closedParts(log);
    const parts = opened ? [...closed, openPart(log, opened.size, opened.ino)] : closed;
    const note = readCheckpointNote(log);
    if (locked) file?.unlockSync();
    return { path: log, isWhole: true, parts, ...(note !== undefined && { note }) };
  }
}

/** The file that takes lines, which may have another name by the time that it is read. */
function openPart(path: string, size: number, inode: number | null): LogPart {
  return {
    path,
    bytes: size,
    async *open() {
      using file = await Deno.open(path, { read: true });
      if (file.statSync().ino === inode) return yield* readChunks(file, size);
      for (const closed of closedFiles(path)) {
        using moved = openIfThere(closed.path);
        if (moved?.statSync().ino === inode) return yield* readChunks(moved!, size);
      }
      throw new Error("it was closed while it was read: try again");
    },
  };
}

/** Files are compressed without the lock: one that is gone goes by another name now. */
function closedParts(log: string, triesLeft = 100): LogPart[] {
  try {
    return closedFiles(log).map(closedPart);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound) || triesLeft === 0) throw cause;
    return closedParts(log, triesLeft - 1);
  }
}

function closedPart(closed: ClosedFile): LogPart {
  return {
    path: closed.path,
    bytes: Deno.statSync(closed.path).size,
    async *open() {
      try {
        yield* unpackedBytes(closed.path, closed.packing);
      } catch (cause) {
        // Compressed since it was listed?
        const now = cause instanceof Deno.errors.NotFound &&
          closedFiles(closed.log).find(({ first }) => first === closed.first);
        if (!now || now.path === closed.path) throw cause;
        yield* unpackedBytes(now.path, now.packing);
      }
    },
  };
}

/** The one log that a directory holds. */
function logIn(directory: string): Result<string> {
  const logs = new Set<string>();
  for (const { name, isFile } of Deno.readDirSync(directory)) {
    if (!isFile) continue;
    const path = join(directory, name);
    const closed = parseClosedPath(path);
    if (closed !== undefined) logs.add(closed.log);
    else if (name.endsWith(".jsonl")) logs.add(path);
  }
  const [log, ...others] = logs;
  if (log !== undefined && others.length === 0) return ok(log);
  const state = log === undefined
    ? "there is no audit log in it"
    : `there are several logs in it: ${[...logs].map((path) => basename(path)).join(", ")}`;
  return err({
    code: "AUDIT_LOG_UNREADABLE",
    message: `Cannot read the directory "${directory}": ${state}`,
    cure: "name the log itself",
  });
}
