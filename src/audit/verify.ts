import { err, ok, type Result } from "../core/result.ts";
import { type ChainHead, GENESIS, lineHash } from "./chain.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { readCheckpointNote } from "./checkpoint_file.ts";
import { readLines } from "./lines.ts";
import { Accumulator } from "./merkle/accumulator.ts";
import { leafHash, sameHash } from "./merkle/hash.ts";
import { type LineFault, parseLine } from "./verify_line.ts";
import { verifySignature } from "./verify_signature.ts";

/** What breaks a log. */
export interface Break {
  /** The first line that does not belong where it stands, from 1; absent when no line does. */
  readonly line?: number;
  readonly code:
    | LineFault["code"]
    | "TORN"
    | "BAD_SIGNATURE"
    | "OUT_OF_ORDER"
    | "BROKEN_CHAIN"
    | "TRUNCATED"
    | "CHECKPOINT_INVALID"
    | "CHECKPOINT_MISMATCH";
  readonly reason: string;
}

/** What {@linkcode verifyLog} found. */
export interface VerifyReport {
  readonly file: string;
  readonly whole: boolean;
  /** Lines that are proved: all of them, or those before the break. */
  readonly lines: number;
  /** How many lines the checkpoint vouches for; absent without a checkpoint. */
  readonly checkpointSize?: number;
  readonly broken?: Break;
}

/** How to verify. */
export interface VerifyOptions {
  /** Raw Ed25519 public keys that may have signed. */
  readonly publicKeys: readonly Uint8Array[];
  /** Hears how much of the file is done, about every megabyte. */
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
}

const PROGRESS_BYTES = 1 << 20;
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Proves an audit log whole: every line in canonical form, signed by a known
 * key, following the one before, and none missing at the end as far as the
 * checkpoint beside the file vouches. Works on a log that is being written:
 * it judges the file as it was at the beginning. Fails only when the file
 * cannot be read.
 */
export async function verifyLog(
  path: string,
  options: VerifyOptions,
): Promise<Result<VerifyReport>> {
  try {
    using file = await Deno.open(path, { read: true });
    const { size, note } = await snapshot(file, path);
    let checkpoint: Checkpoint | undefined;
    let invalid: Break | undefined;
    if (note !== undefined) {
      const parsed = parseCheckpoint(note, options.publicKeys);
      if (parsed.ok) checkpoint = parsed.value;
      else invalid = { code: "CHECKPOINT_INVALID", reason: parsed.error.message };
    }
    const { lines, broken } = await walk(file, size, options, checkpoint);
    const fault = broken ?? invalid;
    return ok({
      file: path,
      whole: fault === undefined,
      lines,
      ...(checkpoint && { checkpointSize: checkpoint.size }),
      ...(fault && { broken: fault }),
    });
  } catch (cause) {
    return err({
      code: "AUDIT_LOG_UNREADABLE",
      message: `Cannot read the audit log "${path}": ${
        cause instanceof Deno.errors.NotFound
          ? "there is no such file"
          : cause instanceof Error
          ? cause.message
          : cause
      }`,
      cause,
    });
  }
}

/** Size and checkpoint at one moment, between the batches of writers. */
async function snapshot(
  file: Deno.FsFile,
  path: string,
): Promise<{ size: number; note: string | undefined }> {
  // A writer that was stopped in mid-batch must not stop verification too.
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  let locked = file.tryLockSync(false);
  while (!locked && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    locked = file.tryLockSync(false);
  }
  try {
    const { size } = file.statSync();
    return { size, note: readCheckpointNote(path) };
  } finally {
    if (locked) file.unlockSync();
  }
}

async function walk(
  file: Deno.FsFile,
  size: number,
  options: VerifyOptions,
  vouched: Checkpoint | undefined,
): Promise<{ lines: number; broken?: Break }> {
  let head = GENESIS;
  const tree = new Accumulator();
  let reported = 0;
  for await (const line of readLines(file, size)) {
    const number = head.seq + 1;
    const broken = line.terminated
      ? checkLine(line.bytes, head, options.publicKeys)
      : { code: "TORN" as const, reason: "it has no end: the writer died, or it was cut" };
    if (broken !== undefined) return { lines: head.seq, broken: { line: number, ...broken } };
    head = { seq: number, hash: lineHash(line.bytes) };
    if (vouched !== undefined && number <= vouched.size) {
      tree.append(leafHash(line.bytes));
      if (number === vouched.size && !sameHash(tree.root(), vouched.root)) {
        return {
          lines: number - 1,
          broken: {
            line: number,
            code: "CHECKPOINT_MISMATCH",
            reason: "it is not the line that the checkpoint vouches for, or one before it is not",
          },
        };
      }
    }
    if (line.end - reported >= PROGRESS_BYTES) {
      reported = line.end;
      options.onProgress?.(line.end, size);
    }
  }
  if (vouched !== undefined && vouched.size > head.seq) {
    const missing = vouched.size - head.seq;
    return {
      lines: head.seq,
      broken: {
        line: head.seq + 1,
        code: "TRUNCATED",
        reason: `it is missing with all after it, ${count(missing)}: ` +
          `the checkpoint vouches for ${vouched.size}`,
      },
    };
  }
  return { lines: head.seq };
}

/** What is wrong with a line that should follow `head`. */
function checkLine(
  bytes: Uint8Array,
  head: ChainHead,
  publicKeys: readonly Uint8Array[],
): Omit<Break, "line"> | undefined {
  const parsed = parseLine(bytes);
  if (!parsed.ok) return parsed.error;
  const { seq, prev, signed, signature, members } = parsed.value;
  if (!publicKeys.some((key) => verifySignature(key, signed, signature))) {
    return {
      code: "BAD_SIGNATURE",
      reason: "its signature does not fit: it was changed, or signed by a key that is not known",
    };
  }
  const expected = head.seq + 1;
  if (seq > expected) {
    return {
      code: "OUT_OF_ORDER",
      reason: `it is number ${seq}: ${count(seq - expected)} before it missing or moved`,
    };
  }
  if (seq < expected) {
    return {
      code: "OUT_OF_ORDER",
      reason: `it is number ${seq}: a repetition, or moved from its place`,
    };
  }
  if (prev !== head.hash) {
    return {
      code: "BROKEN_CHAIN",
      reason: "it does not follow the line before: one of the two is from another log",
    };
  }
  if (members.kind === "key" && members.change === "truncated") {
    return { code: "TRUNCATED", reason: `it records a loss: ${String(members.detail)}` };
  }
  return undefined;
}

function count(lines: number): string {
  return lines === 1 ? "1 line" : `${lines} lines`;
}
