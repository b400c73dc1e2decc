import { cursorPath, readCursor } from "./cursor.ts";
import { endOfLog } from "./log_files.ts";

/** How many lines of a log wait for a sink, whether or not somebody ships it just now. */
export function backlogOf(logPath: string, sink: string): number {
  return Math.max(0, endOfLog(logPath).seq - readCursor(cursorPath(logPath, sink)).seq);
}

/** How many lines wait, for people. */
export function waitingText(lines: number): string {
  return lines === 0 ? "nothing waits" : lines === 1 ? "1 line waits" : `${lines} lines wait`;
}
