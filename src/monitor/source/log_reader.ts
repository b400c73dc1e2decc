import { MAX_LINE_BYTES } from "../../audit/lines.ts";
import { readRange } from "../../audit/tail.ts";
import { openIfThere } from "../../audit/small_files.ts";
import { fileIdentity, rotatedFiles } from "../../audit/rotated_files.ts";

const CHUNK = 256 * 1024;
const BACKWARD_CHUNK = 65_536;
const NEWLINE = 0x0a;
/** How many bytes before the place of reading must still be what they were. */
const MARK_BYTES = 256;

/**
 * Reads whole lines of a log as they come to be: of a file that does not exist
 * yet, that grows, that is emptied in place, and that is replaced by another
 * (rotation), also several times between two looks. A line is read again until
 * its newline is there, because a writer may still take it back.
 */
export class LogReader {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #identity = "";
  #offset = 0;
  /** The bytes before the offset: when they changed, the file was emptied and filled again. */
  #mark = new Uint8Array(0);
  /** What is read goes here, again and again: made anew each time, it would pile up. */
  #buffer = new Uint8Array(0);
  /** Rotated files that are not to be read any more. */
  #done = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Opens the file, where it is there: what was rotated before that is not read. Returns what tells
   * the file apart from others.
   */
  begin(): string | undefined {
    return this.#openIfThere() ? this.#identity : undefined;
  }

  /**
   * All lines, without newlines, that are there and were not read yet; a line is
   * valid until the next one is asked for. Throws what the file system throws,
   * but for a missing file.
   */
  *read(): Generator<Uint8Array> {
    for (;;) {
      if (!this.#openIfThere()) return;
      const replaced = this.#replaced();
      // Whoever replaced the file may have written to the old one until then.
      yield* this.#readOpen();
      if (!replaced) return;
      yield* this.#goOn();
    }
  }

  /**
   * Goes to the last line that `visit` took, or to the end of the file.
   * `visit` sees each whole line once, the last one first.
   */
  seekBack(visit: (line: Uint8Array) => "take" | "look" | "stop"): void {
    if (!this.#openIfThere()) return;
    const file = this.#file!;
    let position = file.statSync().size;
    let buffer: Uint8Array = new Uint8Array(0);
    /** Where in `buffer` the line ends whose beginning is being looked for; -1: not known yet. */
    let lineEnd = -1;
    for (;;) {
      const newline = buffer.subarray(0, lineEnd < 0 ? buffer.length : lineEnd)
        .lastIndexOf(NEWLINE);
      if (newline >= 0 || position === 0) {
        if (lineEnd < 0) {
          this.#goTo(position + newline + 1);
        } else {
          const verdict = visit(buffer.subarray(newline + 1, lineEnd));
          if (verdict === "stop") return;
          if (verdict === "take") this.#goTo(position + newline + 1);
        }
        if (newline < 0) return;
        lineEnd = newline;
        continue;
      }
      const start = Math.max(0, position - BACKWARD_CHUNK);
      const bytes = readRange(file, start, position);
      const joined = new Uint8Array(bytes.length + lineEnd + 1);
      joined.set(bytes);
      joined.set(buffer.subarray(0, lineEnd + 1), bytes.length);
      if (lineEnd >= 0) lineEnd += bytes.length;
      buffer = joined;
      position = start;
    }
  }

  /** What is known of the open file: when it was made and last written, in milliseconds. */
  times(): { readonly bornMs: number; readonly writtenMs: number } | undefined {
    const found = this.#file?.statSync();
    if (found === undefined) return undefined;
    const writtenMs = found.mtime?.getTime() ?? 0;
    return { bornMs: Math.min(found.birthtime?.getTime() ?? writtenMs, writtenMs), writtenMs };
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#goTo(0);
  }

  #goTo(offset: number): void {
    this.#offset = offset;
    this.#mark = new Uint8Array(0);
  }

  #openIfThere(): boolean {
    if (this.#file !== undefined) return true;
    if (!this.#open()) return false;
    // What was rotated before belongs to the past.
    this.#done = new Set(rotatedFiles(this.#path).map(({ identity }) => identity));
    return true;
  }

  #open(): boolean {
    this.#file = openIfThere(this.#path);
    if (this.#file === undefined) return false;
    this.#identity = fileIdentity(this.#file.statSync());
    this.#goTo(0);
    return true;
  }

  #replaced(): boolean {
    try {
      return fileIdentity(Deno.statSync(this.#path)) !== this.#identity;
    } catch (cause) {
      // Moved away and not made anew yet: go on with what is open.
      if (cause instanceof Deno.errors.NotFound) return false;
      throw cause;
    }
  }

  /** Opens what is there now, after all that was there in between and was moved away again. */
  *#goOn(): Generator<Uint8Array> {
    this.#done.add(this.#identity);
    this.close();
    if (!this.#open()) return;
    const now = this.#file!;
    const bornMs = now.statSync().birthtime?.getTime() ?? Infinity;
    const rotated = rotatedFiles(this.#path);
    // What is gone need not be remembered.
    this.#done = new Set(
      rotated.map(({ identity }) => identity).filter((identity) => this.#done.has(identity)),
    );
    for (const between of rotated) {
      // What is newer than the open file comes after it.
      const isNext = between.identity !== this.#identity && between.bornMs <= bornMs;
      if (!isNext || this.#done.has(between.identity)) continue;
      const file = openIfThere(between.path);
      if (file === undefined) continue;
      try {
        // Renamed once more since it was listed? Then it is another file, and found again later.
        if (fileIdentity(file.statSync()) !== between.identity) continue;
        this.#done.add(between.identity);
        this.#file = file;
        this.#goTo(0);
        yield* this.#readOpen();
      } finally {
        file.close();
        this.#file = now;
        this.#goTo(0);
      }
    }
  }

  *#readOpen(): Generator<Uint8Array> {
    const file = this.#file!;
    let chunkSize = CHUNK;
    for (;;) {
      const { size } = file.statSync();
      if (size < this.#offset || (size > this.#offset && !this.#isMarked(file))) this.#goTo(0);
      const end = Math.min(size, this.#offset + chunkSize);
      if (end === this.#offset) return;
      if (this.#buffer.length < chunkSize) this.#buffer = new Uint8Array(chunkSize);
      const bytes = this.#buffer.subarray(0, end - this.#offset);
      if (!fillIfThere(file, this.#offset, bytes)) return;
      let start = 0;
      for (
        let newline = bytes.indexOf(NEWLINE);
        newline >= 0;
        newline = bytes.indexOf(NEWLINE, start)
      ) {
        const line = bytes.subarray(start, newline);
        start = newline + 1;
        this.#offset += line.length + 1;
        yield line;
      }
      if (start > 0) {
        this.#mark = bytes.slice(Math.max(0, start - MARK_BYTES), start);
        continue;
      }
      if (end === size || chunkSize > MAX_LINE_BYTES) return;
      chunkSize *= 2;
    }
  }

  #isMarked(file: Deno.FsFile): boolean {
    const before = new Uint8Array(this.#mark.length);
    return fillIfThere(file, this.#offset - before.length, before) &&
      before.every((byte, at) => byte === this.#mark[at]);
  }
}

/** Not when the file is being emptied at this moment: the next look sees what became of it. */
function fillIfThere(file: Deno.FsFile, start: number, bytes: Uint8Array): boolean {
  file.seekSync(start, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) return false;
    at += read;
  }
  return true;
}
