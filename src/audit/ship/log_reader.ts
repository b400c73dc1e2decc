import { lineHash } from "../chain.ts";
import { MAX_LINE_BYTES } from "../lines.ts";
import { readRange, startOfLastLines } from "../tail.ts";
import type { Cursor } from "./cursor.ts";
import type { LogLine } from "./destination.ts";
import { logFiles, openUnpacked } from "./log_files.ts";

/** What a look into the log gives. */
export type Found =
  | { readonly kind: "lines"; readonly lines: readonly LogLine[]; readonly cursor: Cursor }
  /** Nothing more for now. */
  | { readonly kind: "end" }
  /** The lines up to `next` are in the log no more. */
  | { readonly kind: "gap"; readonly next: number }
  /** The log does not go on from the cursor: it was cut or replaced, or is damaged. */
  | { readonly kind: "other log"; readonly reason: string };

const CHUNK = 256 * 1024;
const NEWLINE = 0x0a;
const decoder = new TextDecoder();

/** A file of the log, and how far it was read. */
interface Open {
  readonly path: string;
  readonly file: Deno.FsFile;
  offset: number;
}

/**
 * Reads the lines that follow a cursor, across the files that a log consists of. Judges no
 * signature: that is for whoever gets them. Methods throw what the file system throws.
 */
export class LogReader {
  readonly #path: string;
  #cursor: Cursor;
  #open: Open | undefined;

  constructor(logPath: string, cursor: Cursor) {
    this.#path = logPath;
    this.#cursor = cursor;
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  /** Goes on behind another line than the last that was read. */
  moveTo(cursor: Cursor): void {
    this.#cursor = cursor;
    this.close();
  }

  /** The next whole lines, at most so many; a single one may be longer than `bytes`. */
  async next(most: { readonly lines: number; readonly bytes: number }): Promise<Found> {
    const wanted = this.#cursor.seq + 1;
    for (let attempt = 0;; attempt++) {
      if (this.#open === undefined) {
        const found = await this.#find(wanted);
        if (found !== undefined) return found;
      }
      const { path, file, offset } = this.#open!;
      const bytes = await readLines(file, offset, most);
      if (bytes.length > 0) return this.#take(offset, split(bytes, wanted));
      if (path === this.#path && isNamed(file, path)) return { kind: "end" };
      // It takes no more lines: what was added last is in it, or the next in another file.
      this.close();
      if (attempt > 0) return { kind: "end" };
    }
  }

  close(): void {
    this.#open?.file.close();
    this.#open = undefined;
  }

  #take(offset: number, lines: readonly LogLine[]): Found {
    const last = lines.at(-1)!;
    if (seqOf(last.bytes) !== last.seq || seqOf(lines[0]!.bytes) !== lines[0]!.seq) {
      return { kind: "other log", reason: `line ${last.seq} is not where it should be` };
    }
    const prev = members(lines[0]!.bytes)?.["prev"];
    if (this.#cursor.hash !== "" && prev !== this.#cursor.hash) {
      const reason = `line ${lines[0]!.seq} does not follow the line that was shipped before it`;
      return { kind: "other log", reason };
    }
    const end = lines.reduce((sum, { bytes }) => sum + bytes.length + 1, offset);
    this.#open!.offset = end;
    this.#cursor = { seq: last.seq, hash: lineHash(last.bytes), offset: end };
    return { kind: "lines", lines, cursor: this.#cursor };
  }

  /** Opens the file that holds line `wanted`, or will; otherwise says why there is none. */
  async #find(wanted: number): Promise<Found | undefined> {
    const files = logFiles(this.#path);
    if (files.length === 0) return { kind: "end" };
    const holder = files.findLast(({ first }) => first <= wanted);
    if (holder === undefined) return { kind: "gap", next: files[0]!.first };
    const file = await openUnpacked(holder);
    const open: Open = { path: holder.path, file, offset: 0 };
    this.#open = open;
    const { seq: known, offset } = this.#cursor;
    if (known >= holder.first && endsAt(file, this.#cursor)) {
      // A file that was closed holds what it held under the name of the log.
      open.offset = offset;
      return undefined;
    }
    for (let seq = holder.first; seq < wanted;) {
      const most = { lines: wanted - seq, bytes: CHUNK };
      const bytes = await readLines(open.file, open.offset, most);
      if (bytes.length === 0) {
        this.close();
        const reason = `it ends with line ${seq - 1}, and line ${wanted - 1} was shipped`;
        return { kind: "other log", reason };
      }
      open.offset += bytes.length;
      seq += count(bytes);
    }
    return undefined;
  }
}

/** Whole lines from `offset` on with their newlines; none where the next has no end yet. */
async function readLines(
  file: Deno.FsFile,
  offset: number,
  most: { readonly lines: number; readonly bytes: number },
): Promise<Uint8Array> {
  for (let size = Math.min(CHUNK, most.bytes);;) {
    const bytes = new Uint8Array(size);
    await file.seek(offset, Deno.SeekMode.Start);
    let length = 0;
    while (length < size) {
      const read = await file.read(bytes.subarray(length));
      if (read === null) break;
      length += read;
    }
    let end = 0;
    for (let lines = 0; lines < most.lines; lines++) {
      const newline = bytes.subarray(0, length).indexOf(NEWLINE, end);
      if (newline < 0) break;
      end = newline + 1;
    }
    if (end > 0 || length < size || size > MAX_LINE_BYTES) return bytes.subarray(0, end);
    size *= 4;
  }
}

function split(bytes: Uint8Array, first: number): LogLine[] {
  const lines: LogLine[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    lines.push({ seq: first + lines.length, bytes: bytes.subarray(start, end) });
    start = end + 1;
  }
  return lines;
}

function count(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

function members(line: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(decoder.decode(line));
  } catch {
    return undefined;
  }
}

function seqOf(line: Uint8Array): number | undefined {
  const seq = members(line)?.["seq"];
  return Number.isSafeInteger(seq) ? seq as number : undefined;
}

/** Whether the line of a cursor ends at its offset of `file`. */
function endsAt(file: Deno.FsFile, { offset, hash }: Cursor): boolean {
  if (hash === "" || offset === 0 || file.statSync().size < offset) return false;
  const start = startOfLastLines(file, offset, 1);
  return lineHash(readRange(file, start, offset - 1)) === hash;
}

function isNamed(file: Deno.FsFile, path: string): boolean {
  try {
    const [opened, named] = [file.statSync(), Deno.statSync(path)];
    return opened.ino === named.ino && opened.dev === named.dev;
  } catch {
    return false;
  }
}
