/** A line longer than this is damage: the writer bounds what goes into one. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

const CHUNK = 1024 * 1024;
const NEWLINE = 0x0a;

/** One line of a file. */
export interface Line {
  /** Without the newline; valid until the next line is asked for. */
  readonly bytes: Uint8Array;
  /** Whether a newline ended it. */
  readonly terminated: boolean;
  /** Bytes of the file up to and including this line. */
  readonly end: number;
}

/**
 * The lines of the first `size` bytes of `file`, in memory that does not grow
 * with the file. A line beyond {@linkcode MAX_LINE_BYTES} comes cut, not
 * terminated, and ends the sequence.
 */
export async function* readLines(file: Deno.FsFile, size: number): AsyncGenerator<Line> {
  let rest = new Uint8Array(0);
  let end = 0;
  await file.seek(0, Deno.SeekMode.Start);
  for (let position = 0; position < size;) {
    const chunk = new Uint8Array(Math.min(CHUNK, size - position));
    const read = await file.read(chunk);
    if (read === null) break;
    position += read;
    const bytes = new Uint8Array(rest.length + read);
    bytes.set(rest);
    bytes.set(chunk.subarray(0, read), rest.length);
    let start = 0;
    // What is left from before holds no newline.
    let newline = bytes.indexOf(NEWLINE, rest.length);
    for (; newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      end += newline - start + 1;
      yield { bytes: bytes.subarray(start, newline), terminated: true, end };
      start = newline + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_LINE_BYTES) break;
  }
  if (rest.length > 0) yield { bytes: rest, terminated: false, end: end + rest.length };
}
