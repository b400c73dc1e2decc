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

/** Where the last `count` of the lines begin that end at `end`, which is behind a newline or 0. */
export function startOfLastLines(file: Deno.FsFile, end: number, count: number): number {
  if (count === 0) return end;
  let left = count + 1; // the newline before the first of them, not the one behind it
  for (let chunkEnd = end; chunkEnd > 0;) {
    const start = Math.max(0, chunkEnd - CHUNK);
    const bytes = readRange(file, start, chunkEnd);
    for (let at = bytes.lastIndexOf(NEWLINE); at >= 0; at = bytes.lastIndexOf(NEWLINE, at - 1)) {
      if (--left === 0) return start + at + 1;
      if (at === 0) break; // a position below 0 would count from the end
    }
    chunkEnd = start;
  }
  return 0;
}

/** The lines between two positions, without their newlines; `end` is behind one. */
export function* linesBetween(
  file: Deno.FsFile,
  start: number,
  end: number,
): Generator<Uint8Array> {
  let rest = new Uint8Array(0);
  for (let position = start; position < end;) {
    const until = Math.min(end, position + 16 * CHUNK);
    const read = readRange(file, position, until);
    position = until;
    const bytes = new Uint8Array(rest.length + read.length);
    bytes.set(rest);
    bytes.set(read, rest.length);
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      yield bytes.subarray(from, at);
      from = at + 1;
    }
    rest = bytes.subarray(from);
  }
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
