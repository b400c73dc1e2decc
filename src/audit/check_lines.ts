import { type Base, baseOf } from "./base.ts";
import { lineHash } from "./chain.ts";
import { KeyBatches } from "./ed25519/key_batches.ts";
import { BatchedSignatures, type LineSignatures, SingleSignatures } from "./line_signatures.ts";
import { leafHexWithin } from "./merkle/hash.ts";
import { QuickLines } from "./quick_lines.ts";
import { type LineFault, readSignedLineAnew } from "./verify_line.ts";

/** What is wrong with a line, as the end of a sentence that begins with the line. */
export interface LineBreak {
  readonly code:
    | LineFault["code"]
    | "BAD_SIGNATURE"
    | "OUT_OF_ORDER"
    | "BROKEN_CHAIN"
    | "TRUNCATED";
  readonly reason: string;
}

/** What several lines are by themselves, before it is known what they follow. */
export interface CheckedLines {
  /** How many of them are sound, and follow one another. */
  readonly count: number;
  /** What the first of them says about itself; absent when that is no line at all. */
  readonly first?: { readonly seq: number; readonly prev: string; readonly base?: Base };
  /** Of the last sound one, as the next one has to name it. */
  readonly lastHash: string;
  /** Leaves of the sound ones in the Merkle tree, one after the other. */
  readonly leaves: Uint8Array<ArrayBuffer>;
  /** Up to which line a sound one says that old files were dropped; 0 where none does. */
  readonly droppedUpTo: number;
  /** What is wrong with the line after the sound ones; absent when all are. */
  readonly broken?: LineBreak;
}

const ofThisThread = new KeyBatches();

/**
 * Checks whole lines, each with its newline, all but what the first one of them follows. Nobody else
 * may read `bytes` meanwhile.
 */
export function checkLines(
  bytes: Uint8Array,
  publicKeys: readonly Uint8Array[],
  batches: KeyBatches = ofThisThread,
): CheckedLines {
  const trial = new BatchedSignatures(publicKeys, batches);
  const checked = checkEach(bytes, publicKeys, trial);
  // Where the batch does not accept everything, nothing that it said counts.
  return trial.settle() ? checked : checkEach(bytes, publicKeys, new SingleSignatures(publicKeys));
}

function checkEach(
  bytes: Uint8Array,
  publicKeys: readonly Uint8Array[],
  signatures: LineSignatures,
): CheckedLines {
  const lines = new QuickLines(bytes, signatures);
  const leaves: string[] = [];
  let first: CheckedLines["first"];
  let seq = 0;
  let lastHash = "";
  let droppedUpTo = 0;
  let broken: LineBreak | undefined;
  for (let start = 0; start < bytes.length;) {
    const end = lines.endOf(start);
    const line = bytes.subarray(start, end);
    const isQuick = lines.read(start, end) &&
      (first === undefined || (lines.seq === seq + 1 && lines.follows(lastHash)));
    if (isQuick) {
      first ??= { seq: lines.seq, prev: lines.prev };
      seq = lines.seq;
    } else {
      const read = readSignedLineAnew(line, publicKeys);
      if (!read.ok) {
        broken = read.error;
        break;
      }
      const { members } = read.value;
      if (first === undefined) {
        const base = members && baseOf(members);
        first = { seq: read.value.seq, prev: read.value.prev, ...(base && { base }) };
      } else {
        broken = orderBreak(read.value, { seq, hash: lastHash });
      }
      if (members?.change === "truncated") {
        broken ??= {
          code: "TRUNCATED",
          reason: `it records a loss: ${String(members.detail)}`,
        };
      }
      if (broken !== undefined) break;
      if (members?.change === "dropped") {
        droppedUpTo = Math.max(droppedUpTo, Number(members.last_seq) || 0);
      }
      seq = read.value.seq;
    }
    lastHash = lineHash(line);
    leaves.push(leafHexWithin(bytes, start, end));
    start = end + 1;
  }
  return {
    count: leaves.length,
    lastHash,
    leaves: Uint8Array.fromHex(leaves.join("")),
    droppedUpTo,
    ...(first && { first }),
    ...(broken && { broken }),
  };
}

/** What is wrong with the place of a line that should follow `head`. */
export function orderBreak(
  { seq, prev }: { readonly seq: number; readonly prev: string },
  head: { readonly seq: number; readonly hash: string },
): LineBreak | undefined {
  const expected = head.seq + 1;
  if (seq > expected) {
    return {
      code: "OUT_OF_ORDER",
      reason: `it is number ${seq}: ${countOf(seq - expected)} before it missing or moved`,
    };
  }
  if (seq < expected) {
    return {
      code: "OUT_OF_ORDER",
      reason: `it is number ${seq}: a repetition, or moved from its place`,
    };
  }
  if (prev === head.hash) return undefined;
  return {
    code: "BROKEN_CHAIN",
    reason: "it does not follow the line before: one of the two is from another log",
  };
}

/** A number of lines in words. */
export function countOf(lines: number): string {
  return lines === 1 ? "1 line" : `${lines} lines`;
}
