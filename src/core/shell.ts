import { escapeForTerminal } from "./escape.ts";

/**
 * A word that a POSIX shell reads as `text`, on one line. Controls are shown as escapes instead:
 * a command with them in it would do something on being pasted, quoted or not.
 */
export function shellWord(text: string): string {
  const visible = escapeForTerminal(text);
  if (/^[\w./@:+,%=-]+$/.test(visible) && !/^[-=]/.test(visible)) return visible;
  return `'${visible.replaceAll("'", `'\\''`)}'`;
}
