import { err, ok, type Result } from "../../core/result.ts";
import { linesOfParts, snapshotLog } from "../log_parts.ts";
import { unreadable } from "../unreadable.ts";
import { type EventFilter, fits } from "./event_filter.ts";
import { Newest } from "./newest.ts";
import { type Match, mayFit, partsOf } from "./read_match.ts";

const decoder = new TextDecoder();

/**
 * The last lines that fit of the log at `path`, at most `limit`, oldest first: of the log with its
 * closed files, a directory with one log, or a single closed file. Judges no signature.
 */
export async function searchLog(
  path: string,
  filter: EventFilter,
  limit: number,
): Promise<Result<readonly Match[]>> {
  try {
    const snapshot = await snapshotLog(path);
    if (!snapshot.ok) return err(snapshot.error);
    const newest = new Newest<Match>(limit);
    for await (const { bytes, terminated } of linesOfParts(snapshot.value.parts)) {
      if (!terminated) continue;
      const line = decoder.decode(bytes);
      const parts = mayFit(line, filter) ? partsOf(line) : undefined;
      if (parts && fits(parts, filter)) newest.add({ timestamp: parts.timestamp, line });
    }
    return ok(newest.list());
  } catch (cause) {
    return unreadable(path, cause);
  }
}
