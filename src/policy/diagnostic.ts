import { escapeForTerminal, escapeLinesForTerminal } from "../core/escape.ts";
import type { FirmaError } from "../core/result.ts";

/** How bad what a diagnostic says is. */
export type Severity = "error" | "warning";

/** A line of source longer than this is shown in part. */
const LONGEST_LINE = 160;
const CONTEXT_BEFORE = 60;

/**
 * Draws an error over the line that it is about: `file:line:column`, what is
 * wrong, the line with a caret under the place, and what would help. Everything
 * is escaped for a terminal. Without `source` the line is left out.
 */
export function diagnosticLines(
  error: FirmaError,
  severity: Severity,
  source: string | undefined,
): string[] {
  const { file, line, column, length } = error.at ?? {};
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  const message = escapeLinesForTerminal(error.message);
  const lines = [`${place && `${escapeForTerminal(place)}: `}${severity}: ${message}`];
  const text = line === undefined ? undefined : source?.split(/\r\n|\n|\r/)[line - 1];
  if (text !== undefined) lines.push(...excerpt(text, line!, column, length ?? 1));
  if (error.cure !== undefined) lines.push(`  help: ${escapeForTerminal(error.cure)}`);
  return lines;
}

function excerpt(
  text: string,
  line: number,
  column: number | undefined,
  length: number,
): string[] {
  const characters = [...text];
  const at = Math.min((column ?? 1) - 1, characters.length);
  const from = characters.length > LONGEST_LINE ? Math.max(0, at - CONTEXT_BEFORE) : 0;
  const shown = characters.slice(from, from + LONGEST_LINE);
  const number = String(line);
  const gutter = " ".repeat(number.length);
  const lines = [`  ${number} | ${shown.map(visible).join("")}`];
  if (column === undefined) return lines;
  const before = shown.slice(0, at - from).map(visible).join("");
  const marked = shown.slice(at - from, at - from + length).map(visible).join("");
  // A fault at the end of the line has nothing to stand under.
  const carets = "^".repeat(Math.max(1, [...marked].length));
  lines.push(`  ${gutter} | ${" ".repeat([...before].length)}${carets}`);
  return lines;
}

/** A tab would move the caret by as much as the terminal likes. */
function visible(character: string): string {
  return character === "\t" ? "  " : escapeForTerminal(character);
}
