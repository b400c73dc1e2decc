import { readLines } from "../lines.ts";
import { type EventFilter, fits } from "./event_filter.ts";
import { type Match, mayFit, partsOf } from "./read_match.ts";

/** Lines after which others get their turn: some milliseconds. */
const TURN = 512;
/** How far clocks of Sidecars may be ahead of this machine's, in milliseconds. */
const CLOCK_SKEW_MS = 300_000;
const decoder = new TextDecoder();

/**
 * The lines of a file that fit. Judges no signature, and passes over what is no event. Rejects with
 * what the file system throws.
 */
export async function* searchFile(path: string, filter: EventFilter): AsyncGenerator<Match> {
  using file = await Deno.open(path, { read: true });
  const { size, mtime } = file.statSync();
  const { sinceMs } = filter;
  // Nothing in it is younger than its last change.
  if (sinceMs !== undefined && mtime && mtime.getTime() < sinceMs - CLOCK_SKEW_MS) return;
  let looked = 0;
  for await (const { bytes, terminated } of readLines(file, size)) {
    if (++looked % TURN === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    if (!terminated) return;
    const line = decoder.decode(bytes);
    const parts = mayFit(line, filter) ? partsOf(line) : undefined;
    if (parts && fits(parts, filter)) yield { timestamp: parts.timestamp, line };
  }
}
