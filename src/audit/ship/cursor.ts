import { isHash } from "./is_hash.ts";

/** How far a sink has got with a log. */
export interface Cursor {
  /** Of the last line that was delivered; 0 for none. */
  readonly seq: number;
  /** SHA-256 of that line without its newline, hex; `""` for none. */
  readonly hash: string;
  /** The byte behind the line in its file, where that is looked for first; 0 for anywhere. */
  readonly offset: number;
}

/** Before the first line. */
export const START: Cursor = { seq: 0, hash: "", offset: 0 };

/** Where the cursor of a sink lies, beside the log. */
export function cursorPath(logPath: string, sink: string): string {
  return `${logPath}.${sink}-cursor`;
}

/** The cursor at `path`; the start where there is none, or none that can be read. */
export function readCursor(path: string): Cursor {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return START;
    throw cause;
  }
  try {
    const { seq, hash, offset } = JSON.parse(text);
    const isCursor = Number.isSafeInteger(seq) && seq > 0 && isHash(hash) &&
      Number.isSafeInteger(offset) && offset >= 0;
    if (isCursor) return { seq, hash, offset };
  } catch {
    // Damaged: whatever is delivered twice is known at the other end.
  }
  return START;
}

/**
 * Replaces the cursor whole. Not synchronised with the disk: after a power cut an older one has
 * lines delivered again, which is what every destination expects.
 */
export function writeCursor(path: string, cursor: Cursor): void {
  const draft = `${path}.new`;
  Deno.writeTextFileSync(draft, `${JSON.stringify(cursor)}\n`, { mode: 0o600 });
  Deno.renameSync(draft, path);
}
