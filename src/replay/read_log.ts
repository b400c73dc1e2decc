import type { ExecutionEvent } from "../core/event.ts";
import { ok, type Result } from "../core/result.ts";
import { linesOfParts, snapshotLog } from "../audit/log_parts.ts";
import { parseEvent } from "../audit/parse_event.ts";
import { unreadable } from "../audit/unreadable.ts";

/** How much of a log was read. */
export interface ReadLog {
  readonly files: readonly string[];
  /** Lines that are no events: damage, or of a later version. */
  readonly unreadable: number;
}

/**
 * Hands every event of a log to `take`, those in closed files first. Judges no signature: that is
 * what `firma audit verify` is for.
 */
export async function readLog(
  path: string,
  take: (event: ExecutionEvent) => void,
): Promise<Result<ReadLog>> {
  let damaged = 0;
  const text = new TextDecoder();
  try {
    const snapshot = await snapshotLog(path);
    if (!snapshot.ok) return snapshot;
    const { parts } = snapshot.value;
    for await (const { bytes } of linesOfParts(parts)) {
      const event = parseEvent(text.decode(bytes));
      if (event === undefined) damaged++;
      else take(event);
    }
    return ok({ files: parts.map((part) => part.path), unreadable: damaged });
  } catch (cause) {
    return unreadable(path, cause);
  }
}
