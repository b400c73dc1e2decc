import { escapeForTerminal, escapeLinesForTerminal } from "../core/escape.ts";
import { type FirmaError, FirmaException } from "../core/result.ts";
import { hasColours, red, yellow } from "./style.ts";

const encoder = new TextEncoder();

/** How long a reader that takes nothing may hold up a line, in milliseconds. */
const PATIENCE_MS = 2_000;

const clock = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all of it. A program that shares the terminal may have set it not to
 * block, for every process at once; then waiting is left to the writer.
 */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const deadline = performance.now() + PATIENCE_MS;
  let bytes = encoder.encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (cause) {
      const isBusy = cause instanceof Deno.errors.WouldBlock;
      if (!isBusy || performance.now() > deadline) throw cause;
      Atomics.wait(clock, 0, 0, 1);
    }
  }
}

/** Writes text to standard output, as it is. */
export function print(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Writes text to standard error, as it is. */
export function printToStderr(text: string): void {
  writeAll(Deno.stderr, text);
}

/**
 * Writes one line of notice, `firma: …`, to standard error. The text is
 * escaped here. An agent may hold the terminal in raw mode, where a line feed
 * alone does not go back to the first column. Never throws: what an agent does
 * to the terminal must not end what watches over it.
 */
export function printNotice(level: "info" | "warn" | "error", text: string): void {
  const colours = hasColours(Deno.stderr);
  const escaped = escapeForTerminal(text);
  const line = level === "error"
    ? red(`firma: ${escaped}`, colours)
    : level === "warn"
    ? yellow(`firma: ${escaped}`, colours)
    : `firma: ${escaped}`;
  try {
    printToStderr(Deno.stderr.isTerminal() ? `\r${line}\r\n` : `${line}\n`);
  } catch {
    // Nobody reads any more.
  }
}

function place(at: NonNullable<FirmaError["at"]>): string {
  return [at.file, at.line, at.column].filter((part) => part !== undefined).join(":");
}

/** The lines that tell a person about an error, escaped. */
export function errorLines(error: FirmaError): string[] {
  const lines = [`firma: ${escapeLinesForTerminal(error.message)}`];
  // A message about a whole file names it already.
  const isNamed = error.at?.line === undefined && error.message.includes(error.at?.file ?? "");
  if (error.at && !isNamed) lines.push(`  at ${escapeForTerminal(place(error.at))}`);
  if (error.cure) lines.push(`  cure: ${escapeForTerminal(error.cure)}`);
  return lines;
}

/** Prints an error to standard error. */
export function printError(error: FirmaError): void {
  const [first, ...rest] = errorLines(error);
  const lines = [red(first!, hasColours(Deno.stderr)), ...rest];
  printToStderr(lines.map((line) => `${line}\n`).join(""));
}

/** What this machine may lack for any of firma's calls, by the number of the error (errno(3)). */
const SHORTAGES = [
  { sign: "(os error 24)", cure: "ulimit -n 1024, then start again" },
  { sign: "(os error 28)", cure: "make room on that disk, then start again: df -h" },
];

/** Prints whatever was thrown: a {@linkcode FirmaException} as its error, the rest as a fault of firma. */
export function printThrown(thrown: unknown): void {
  if (thrown instanceof FirmaException) return printError(thrown.error);
  if (thrown instanceof Error) {
    const shortage = SHORTAGES.find(({ sign }) => thrown.message.includes(sign));
    if (shortage) {
      const message = `Cannot go on: ${thrown.message}`;
      return printError({ code: "SHORTAGE", message, cure: shortage.cure });
    }
  }
  const text = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
  printError({
    code: "INTERNAL",
    message: `Internal error: ${text}`,
    cure: "this is a fault of firma itself; please report it with the lines above",
  });
}
