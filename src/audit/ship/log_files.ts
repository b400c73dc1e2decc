import { rotatedFiles } from "../rotated_files.ts";
import { readTail } from "../tail.ts";
import type { LogPosition } from "./destination.ts";

/** The files of a log, oldest first; the last of them is the one that is written to. */
export function logFiles(logPath: string): readonly string[] {
  return [...rotatedFiles(logPath).map(({ path }) => path), logPath];
}

/** Where a log ends; before the first line where there is none, or the end is none of ours. */
export function endOfLog(logPath: string): LogPosition {
  try {
    using file = Deno.openSync(logPath, { read: true });
    const tail = readTail(file, logPath, file.statSync().size);
    if (tail.ok && tail.value.head.seq > 0) return tail.value.head;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return { seq: 0, hash: "" };
}
