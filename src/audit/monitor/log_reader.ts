import { MAX_LINE_BYTES } from "../lines.ts";
import { readRange } from "../tail.ts";

const CHUNK = 1024 * 1024;
const BACKWARD_CHUNK = 65_536;
const NEWLINE = 0x0a;

/**
 * Reads whole lines of a log as they come to be: of a file that does not exist
 * yet, that grows, and that is replaced by another (rotation). A line is read
 * again until its newline is there, because a writer may still take it back.
 */
export class LogReader {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #inode: number | null = null;
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * All lines, without newlines, that are there and were not read yet. Throws
   * what the file system throws, but for a missing file.
   */
  *read(): Generator<Uint8Array> {
    for (;;) {
      if (!this.#openIfThere()) return;
      const replaced = this.#replaced();
      // Whoever replaced the file may have written to the old one until then.
      yield* this.#readOpen();
      if (!replaced) return;
      this.close();
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
          this.#offset = position + newline + 1;
        } else {
          const verdict = visit(buffer.subarray(newline + 1, lineEnd));
          if (verdict === "stop") return;
          if (verdict === "take") this.#offset = position + newline + 1;
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

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#offset = 0;
  }

  #openIfThere(): boolean {
    if (this.#file !== undefined) return true;
    try {
      this.#file = Deno.openSync(this.#path, { read: true });
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return false;
      throw cause;
    }
    this.#inode = this.#file.statSync().ino;
    return true;
  }

  #replaced(): boolean {
    try {
      return Deno.statSync(this.#path).ino !== this.#inode;
    } catch (cause) {
      // Moved away and not made anew yet: go on with what is open.
      if (cause instanceof Deno.errors.NotFound) return false;
      throw cause;
    }
  }

  *#readOpen(): Generator<Uint8Array> {
    const file = this.#file!;
    let chunkSize = CHUNK;
    for (;;) {
      const { size } = file.statSync();
      if (size < this.#offset) this.#offset = 0; // emptied in place
      const end = Math.min(size, this.#offset + chunkSize);
      if (end === this.#offset) return;
      const bytes = readRange(file, this.#offset, end);
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
      if (start > 0) continue;
      if (end === size || chunkSize > MAX_LINE_BYTES) return;
      chunkSize *= 2;
    }
  }
}
