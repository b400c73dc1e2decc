import { err, ok, type Result } from "../core/result.ts";
import { type ChainHead, GENESIS, lineHash } from "./chain.ts";

/** The end of a log file. */
export interface Tail {
  /** Bytes up to and including the last newline. */
  readonly wholeBytes: number;
  /** Bytes after it: the part of a line that a crash left behind. */
  readonly tornBytes: number;
  /** The last whole line, without its newline; absent when there is none. */
  readonly lastLine: Uint8Array | undefined;
  readonly head: ChainHead;
}

const CHUNK = 65_536;
const NEWLINE = 0x0a;

/**
 * Reads the end of `file`, which is `size` bytes long, backwards and no further
 * than needed. Fails when the last whole line is none of ours; throws what the
 * file system throws.
 */
export function readTail(file: Deno.FsFile, path: string, size: number): Result<Tail> {
  const end = lastNewline(file, size);
  if (end < 0) {
    return ok({ wholeBytes: 0, tornBytes: size, lastLine: undefined, head: GENESIS });
  }
  const start = lastNewline(file, end) + 1;
  const lastLine = readRange(file, start, end);
  const seq = sequenceNumber(lastLine);
  if (seq === undefined) {
    return err({
      code: "AUDIT_LOG_DAMAGED",
      message: `Cannot continue the audit log "${path}": its last line is not an audit record`,
      cure: `see "firma audit verify ${path}", then move the file away to begin a new one`,
    });
  }
  return ok({
    wholeBytes: end + 1,
    tornBytes: size - end - 1,
    lastLine,
    head: { seq, hash: lineHash(lastLine) },
  });
}

/** Reads the bytes from `start` to `end`; throws when the file is shorter. */
export function readRange(file: Deno.FsFile, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  file.seekSync(start, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) throw new Deno.errors.UnexpectedEof("the file became shorter");
    at += read;
  }
  return bytes;
}

/** Position of the last newline before `before`, or -1. */
function lastNewline(file: Deno.FsFile, before: number): number {
  for (let end = before; end > 0;) {
    const start = Math.max(0, end - CHUNK);
    const found = readRange(file, start, end).lastIndexOf(NEWLINE);
    if (found >= 0) return start + found;
    end = start;
  }
  return -1;
}

function sequenceNumber(line: Uint8Array): number | undefined {
  try {
    const seq = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line)).seq;
    return Number.isSafeInteger(seq) && seq > 0 ? seq : undefined;
  } catch {
    return undefined;
  }
}
