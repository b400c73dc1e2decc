/** Whether text to `stream` may carry colours: a terminal, and nobody said NO_COLOR. */
export function hasColours(stream: { isTerminal(): boolean }): boolean {
  const { NO_COLOR, TERM } = Deno.env.toObject();
  return !NO_COLOR && TERM !== "dumb" && stream.isTerminal();
}

/** Wraps text in an SGR sequence (ECMA-48) where colours may be used. */
function paint(code: number, text: string, colours: boolean): string {
  return colours ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** Bold, for headings. */
export function bold(text: string, colours: boolean): string {
  return paint(1, text, colours);
}

/** Red, for what went wrong. */
export function red(text: string, colours: boolean): string {
  return paint(31, text, colours);
}

/** Green, for what went well. */
export function green(text: string, colours: boolean): string {
  return paint(32, text, colours);
}

/** Yellow, for what deserves a look. */
export function yellow(text: string, colours: boolean): string {
  return paint(33, text, colours);
}

/** A line of a unified diff, in the colours that such lines have elsewhere. */
export function paintDiffLine(line: string, colours: boolean): string {
  if (line.startsWith("+")) return paint(32, line, colours);
  if (line.startsWith("-")) return paint(31, line, colours);
  return line.startsWith("@@") ? paint(36, line, colours) : line;
}
