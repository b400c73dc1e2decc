import { basename, dirname } from "../core/path.ts";
import type { SigningKey } from "../pki/signing_key.ts";
import { chainEvents } from "./chain.ts";
import { writeCheckpointFile } from "./checkpoint_file.ts";
import { type ClosedFile, closedPath, halfClosedFiles } from "./closed_file.ts";
import { catchUp } from "./grow_tree.ts";
import { keyEvent } from "./key_event.ts";
import type { LogFile } from "./log_file.ts";
import type { Tail } from "./tail.ts";
import type { TreeFile } from "./tree_file.ts";
import { writeAll } from "./write_all.ts";

/** When a file of the log takes no more lines. */
export interface RotationLimits {
  /** Bytes: the lines that are written when there are as many are the first of a new file. */
  readonly maxBytes: number;
  /** Milliseconds since the first line of the file; absent: files do not age. */
  readonly maxAgeMs?: number;
}

/** Whether the next lines belong into a new file. Call with the log locked and synchronised. */
export function isRotationDue(log: LogFile, tail: Tail, limits: RotationLimits): boolean {
  // A file that holds no more than what it begins with is as good as a new one.
  if (tail.head.seq <= log.base().seq + 1) return false;
  if (tail.wholeBytes >= limits.maxBytes) return true;
  if (limits.maxAgeMs === undefined) return false;
  const bornMs = log.bornMs();
  return bornMs !== undefined && Date.now() - bornMs >= limits.maxAgeMs;
}

/**
 * Closes the file of a log and begins the next one, whose first line says what came before. Call
 * with the log locked and synchronised; open and lock it anew afterwards. At every moment, whatever
 * ends the process, the log is one file under its name and complete: the closed file gets its own
 * name first, and the new one then takes the log's.
 */
export function rotateLog(
  log: LogFile,
  tail: Tail,
  tree: TreeFile,
  key: SigningKey,
): ClosedFile {
  const { path } = log;
  const first = log.base().seq + 1;
  const last = tail.head.seq;
  const closed = closedPath(path, first, last);
  // A checkpoint must never survive a power cut that its lines did not survive.
  log.syncDataNow();
  catchUp(tree, log, last);
  const head = { size: last, root: tree.root(last) };
  writeCheckpointFile(path, head, key);
  writeCheckpointFile(closed, head, key);
  const record = keyEvent(key.publicKey, "rotated", `after line ${last}`, {
    file: basename(closed),
    first_seq: first,
    last_seq: last,
    tree: tree.peaks().map((peak) => peak.toBase64()),
  });
  const { bytes } = chainEvents([record], tail.head, key.privateKey);
  const draft = `${path}.next`;
  writeWhole(draft, bytes);
  // A process died between the next two steps before, and the file went on.
  for (const name of halfClosedFiles(path)) Deno.removeSync(name);
  Deno.linkSync(path, closed);
  Deno.renameSync(draft, path);
  syncDirectory(dirname(path));
  return { path: closed, log: path, first, last, packing: "plain" };
}

function writeWhole(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 });
  writeAll(file, bytes);
  file.syncSync();
}

/** Has names that were given survive a power cut, where the file system can be asked for that. */
function syncDirectory(path: string): void {
  try {
    using directory = Deno.openSync(path, { read: true });
    directory.syncSync();
  } catch {
    // Not every file system can; the chain shows what is missing.
  }
}
