import { readLines } from "../lines.ts";
import { type EventFilter, fits, searchedParts } from "./event_filter.ts";

/** A line that fits, and its time, by which lines of several logs are put in order. */
export interface Match {
  readonly timestamp: string;
  readonly line: string;
}

/** Lines after which others get their turn: some milliseconds. */
const TURN = 512;
const decoder = new TextDecoder();

/**
 * The lines of a file of a log that fit. Judges no signature, and passes over what is no event.
 * Rejects with what the file system throws.
 */
export async function* searchFile(path: string, filter: EventFilter): AsyncGenerator<Match> {
  using file = await Deno.open(path, { read: true });
  const { size, mtime } = file.statSync();
  // Nothing in it is younger than its last change.
  if (filter.sinceMs !== undefined && mtime !== null && mtime.getTime() < filter.sinceMs - 1_000) {
    return;
  }
  const words = [filter.agent, filter.session, filter.decision].filter((word) => word);
  let looked = 0;
  for await (const { bytes, terminated } of readLines(file, size)) {
    if (++looked % TURN === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    if (!terminated) return;
    const line = decoder.decode(bytes);
    // Far cheaper than reading it as JSON.
    if (!words.every((word) => line.includes(word!))) continue;
    const parts = partsOf(line);
    if (parts !== undefined && fits(parts, filter)) yield { timestamp: parts.timestamp, line };
  }
}

function partsOf(line: string) {
  try {
    const members: unknown = JSON.parse(line);
    if (typeof members !== "object" || members === null) return undefined;
    return searchedParts(members as Readonly<Record<string, unknown>>);
  } catch {
    return undefined;
  }
}
