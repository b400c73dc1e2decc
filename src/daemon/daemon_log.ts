import { escapeForTerminal } from "../core/escape.ts";
import { timestamp } from "../core/timestamp.ts";

/** A log that has grown beyond this begins anew; the one before is kept beside it. */
const LARGE_BYTES = 8 * 1024 * 1024;

/** Appends lines for people to a file; a disk that takes none ends nothing. */
export function appendLog(file: string, level: "info" | "warn" | "error", text: string): void {
  const line = `${timestamp()} ${level.toUpperCase()} ${escapeForTerminal(text)}\n`;
  rotateLog(file);
  try {
    Deno.writeTextFileSync(file, line, { append: true, create: true, mode: 0o600 });
  } catch {
    // Whoever watches over a Sidecar goes on without a log.
  }
}

/** Puts a log aside that has grown large. */
function rotateLog(file: string): void {
  try {
    if (Deno.lstatSync(file).size > LARGE_BYTES) Deno.renameSync(file, `${file}.1`);
  } catch {
    // There is none yet, or it cannot be moved: it goes on as it is.
  }
}
