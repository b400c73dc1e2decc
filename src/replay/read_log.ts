import type { ExecutionEvent } from "../core/event.ts";
import { err, ok, type Result } from "../core/result.ts";
import { readLines } from "../audit/lines.ts";
import { rotatedFiles } from "../audit/rotated_files.ts";
import { parseEvent } from "../audit/parse_event.ts";

/** How much of a log was read. */
export interface ReadLog {
  readonly files: readonly string[];
  /** Lines that are no events: damage, or of a later version. */
  readonly unreadable: number;
}

/**
 * Hands every event of a log to `take`, the files that it was rotated to first. Judges no signature:
 * that is what `firma audit verify` is for.
 */
export async function readLog(
  path: string,
  take: (event: ExecutionEvent) => void,
): Promise<Result<ReadLog>> {
  const files = [...rotatedFiles(path).map((file) => file.path), path];
  let unreadable = 0;
  const text = new TextDecoder();
  for (const name of files) {
    try {
      using file = await Deno.open(name);
      const { size } = await file.stat();
      for await (const { bytes } of readLines(file, size)) {
        const event = parseEvent(text.decode(bytes));
        if (event === undefined) unreadable++;
        else take(event);
      }
    } catch (cause) {
      const missing = cause instanceof Deno.errors.NotFound;
      const reason = missing ? "there is no such file" : String(cause);
      return err({
        code: "AUDIT_LOG_UNREADABLE",
        message: `Cannot read the audit log "${name}": ${reason}`,
        cause,
      });
    }
  }
  return ok({ files, unreadable });
}
