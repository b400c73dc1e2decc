import { escapeForTerminal, escapeLinesForTerminal } from "../core/escape.ts";
import { type FirmaError, FirmaException } from "../core/result.ts";
import { hasColours, red, yellow } from "./style.ts";

const encoder = new TextEncoder();

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
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
 * alone does not go back to the first column.
 */
export function printNotice(level: "info" | "warn" | "error", text: string): void {
  const colours = hasColours(Deno.stderr);
  const escaped = escapeForTerminal(text);
  const line = level === "error"
    ? red(`firma: ${escaped}`, colours)
    : level === "warn"
    ? yellow(`firma: ${escaped}`, colours)
    : `firma: ${escaped}`;
  printToStderr(Deno.stderr.isTerminal() ? `\r${line}\r\n` : `${line}\n`);
}

function place(at: NonNullable<FirmaError["at"]>): string {
  return [at.file, at.line, at.column].filter((part) => part !== undefined).join(":");
}

/** The lines that tell a person about an error, escaped. */
export function errorLines(error: FirmaError): string[] {
  const lines = [`firma: ${escapeLinesForTerminal(error.message)}`];
  if (error.at) lines.push(`  at ${escapeForTerminal(place(error.at))}`);
  if (error.cure) lines.push(`  cure: ${escapeForTerminal(error.cure)}`);
  return lines;
}

/** Prints an error to standard error. */
export function printError(error: FirmaError): void {
  const [first, ...rest] = errorLines(error);
  const lines = [red(first!, hasColours(Deno.stderr)), ...rest];
  printToStderr(lines.map((line) => `${line}\n`).join(""));
}

/** Prints whatever was thrown: a {@linkcode FirmaException} as its error, the rest as a fault of firma. */
export function printThrown(thrown: unknown): void {
  if (thrown instanceof FirmaException) return printError(thrown.error);
  const text = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
  printError({
    code: "INTERNAL",
    message: `Internal error: ${text}`,
    cure: "this is a fault of firma itself; please report it with the lines above",
  });
}
