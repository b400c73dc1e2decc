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
  yield* linesIn(readChunks(file, size));
}

/** The same of bytes that come in pieces. */
export async function* linesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let end = 0;
  for await (const { bytes, terminated } of lineBlocks(chunks, 0)) {
    let start = 0;
    while (start < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, start);
      const until = newline < 0 ? bytes.length : newline;
      end += until - start + (terminated ? 1 : 0);
      yield { bytes: bytes.subarray(start, until), terminated, end };
      start = until + 1;
    }
  }
}

/** Several whole lines with their newlines, or the part of a line that is left at the end. */
export interface LineBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly terminated: boolean;
}

/**
 * Bytes that come in pieces, put together to blocks of at least `blockBytes` that end with a line.
 * What follows the last newline comes last; so does the beginning of a line beyond
 * {@linkcode MAX_LINE_BYTES}.
 */
export async function* lineBlocks(
  chunks: AsyncIterable<Uint8Array>,
  blockBytes: number,
): AsyncGenerator<LineBlock> {
  let rest = new Uint8Array(0);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  for await (const chunk of chunks) {
    const newline = chunk.lastIndexOf(NEWLINE);
    if (newline < 0 || rest.length + waitingBytes + newline + 1 < blockBytes) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (newline < 0 && rest.length + waitingBytes > MAX_LINE_BYTES + blockBytes) break;
      continue;
    }
    const bytes = joined([rest, ...waiting, chunk.subarray(0, newline + 1)]);
    rest = joined([chunk.subarray(newline + 1)]);
    waiting = [];
    waitingBytes = 0;
    yield { bytes, terminated: true };
  }
  const left = joined([rest, ...waiting]);
  const end = left.lastIndexOf(NEWLINE) + 1;
  // A copy: whoever takes a block may give its memory away.
  const torn = left.slice(end);
  if (end > 0) yield { bytes: left.subarray(0, end), terminated: true };
  if (torn.length > 0) yield { bytes: torn, terminated: false };
}

/** The first `size` bytes of `file`. */
export async function* readChunks(file: Deno.FsFile, size: number): AsyncGenerator<Uint8Array> {
  await file.seek(0, Deno.SeekMode.Start);
  for (let position = 0; position < size;) {
    const chunk = new Uint8Array(Math.min(CHUNK, size - position));
    const read = await file.read(chunk);
    if (read === null) return;
    position += read;
    yield chunk.subarray(0, read);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
