import { Buffer } from "node:buffer";
import { linesOfParts, snapshotLog } from "../audit/log_parts.ts";
import type { ExecutionEvent } from "../core/event.ts";
import { unwrap } from "../core/result.ts";
import type { SessionState } from "../core/session_state.ts";
import { SessionFold } from "./session_fold.ts";

/**
 * What a session had done by the end of an audit log. For a session that begins again after its
 * Sidecar, under the same identifier: neither of the two starts its counters anew. A log that is not
 * there yet holds nothing of it.
 */
export async function replaySession(logFile: string, sessionId: string): Promise<SessionState> {
  const fold = new SessionFold();
  fold.begin(sessionId);
  const mark = Buffer.from(JSON.stringify(sessionId));
  try {
    const { parts } = unwrap(await snapshotLog(logFile));
    for await (const { bytes, terminated } of linesOfParts(parts)) {
      // Most lines are of other sessions, and parsing takes longer than looking.
      const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      if (!terminated || !line.includes(mark)) continue;
      const event = JSON.parse(line.toString()) as ExecutionEvent;
      if (event.session_id === sessionId) fold.take(event);
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return fold.state(sessionId);
}
