import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { LineBreak } from "./check_lines.ts";
import { parseCheckpoint, parseClaim, type TreeHead } from "./checkpoint.ts";
import { KnownKeys } from "./known_keys.ts";
import { lineChecker } from "./line_checker.ts";
import { type LogSnapshot, snapshotLog } from "./log_parts.ts";
import { unreadable } from "./unreadable.ts";
import { LogWalk } from "./log_walk.ts";
import { walkPart } from "./walk_part.ts";

/** What breaks a log. */
export interface Break {
  /** The first line that does not belong where it stands, from 1; absent when no line does. */
  readonly line?: number;
  /** The file that it is in; absent where the log is one file. */
  readonly file?: string;
  readonly code: LineBreak["code"] | "TORN" | "CHECKPOINT_INVALID" | "CHECKPOINT_MISMATCH";
  readonly reason: string;
}

/** What {@linkcode verifyLog} found. */
export interface VerifyReport {
  readonly file: string;
  readonly whole: boolean;
  /** Lines that are proved: all of them, or those before the break. */
  readonly lines: number;
  /** Number of the first line that is there; absent where that is 1. */
  readonly first?: number;
  /** How many files it lies in; absent for one. */
  readonly files?: number;
  /** How many lines the checkpoint vouches for; absent without a checkpoint. */
  readonly checkpointSize?: number;
  /** How many lines were held against an earlier checkpoint alone; absent without one. */
  readonly vouchedEarlier?: number;
  readonly broken?: Break;
}

/** How to verify. */
export interface VerifyOptions {
  /** Raw Ed25519 public keys to begin with; the log may say which ones follow them. */
  readonly publicKeys: readonly Uint8Array[];
  /**
   * An earlier checkpoint, as it was written: the lines up to it are held against its root, and
   * only those after it are checked one by one.
   */
  readonly from?: string;
  /** What a witness saw of the log: it must hold that still. */
  readonly witnessed?: TreeHead;
  /**
   * How many threads check lines, this one among them; for a small log, it does so alone.
   * @default as many as there are processors
   */
  readonly workers?: number;
  /** Hears how much of the log is done, about every megabyte. */
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
}

/** Below so many bytes, a thread takes longer to start than it would save. */
const WORTH_THREADS = 4 << 20;

/**
 * Proves an audit log whole: every line in canonical form, signed by a known
 * key, following the one before, and none missing at the end as far as the
 * checkpoint beside the log vouches; none missing at the beginning but those that a record says
 * were dropped. `path` is the log, with which go its closed files, a directory with one log, or a
 * single closed file. Works on a log that is being written: it judges the log as it was at the
 * beginning. Fails only when it cannot be read, or not be held against `from`.
 */
export async function verifyLog(
  path: string,
  options: VerifyOptions,
): Promise<Result<VerifyReport>> {
  try {
    const snapshot = await snapshotLog(path);
    if (!snapshot.ok) return snapshot;
    const { note } = snapshot.value;
    const from = options.from === undefined
      ? undefined
      : parseCheckpoint(options.from, options.publicKeys);
    if (from?.ok === false) return from;
    const keys = new KnownKeys(options.publicKeys);
    // Which keys the log has had is known when it has been read; until then nobody else asks.
    const signed = () => note === undefined ? undefined : parseCheckpoint(note, keys.all);
    const claim = note === undefined ? undefined : parseClaim(note);
    const claimed = claim?.ok
      ? { ...claim.value, isBelieved: () => signed()?.ok === true }
      : undefined;
    const walk = new LogWalk(snapshot.value, claimed, from?.value, options.witnessed);
    let broken = await judge(walk, snapshot.value, keys, options);
    const checkpoint = signed();
    if (checkpoint?.ok === false) {
      broken ??= { code: "CHECKPOINT_INVALID", reason: checkpoint.error.message };
    }
    if (walk.isEarlierGone) return err(earlierGone(path));
    return ok({
      ...walk.report(),
      whole: broken === undefined,
      ...(checkpoint?.ok && { checkpointSize: checkpoint.value.size }),
      ...(broken && { broken }),
    });
  } catch (cause) {
    return unreadable(path, cause);
  }
}

async function judge(
  walk: LogWalk,
  { parts }: LogSnapshot,
  keys: KnownKeys,
  { onProgress, workers = navigator.hardwareConcurrency }: VerifyOptions,
): Promise<Break | undefined> {
  const all = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  using checker = lineChecker(all < WORTH_THREADS ? 0 : workers - 1);
  let before = 0;
  for (const part of parts) {
    const told = (done: number) => onProgress?.(before + Math.min(done, part.bytes), all);
    const broken = await walkPart(part, walk, checker, keys, told);
    if (broken !== undefined) return broken;
    before += part.bytes;
  }
  return walk.end();
}

function earlierGone(path: string): FirmaError {
  return {
    code: "CHECKPOINT_TOO_OLD",
    message: `Cannot hold the audit log "${path}" against the checkpoint: ` +
      "lines that it vouches for were dropped",
    cure: "name a later checkpoint, or verify without one",
  };
}
