import { escapeForTerminal } from "../core/escape.ts";
import { err, type FirmaError } from "../core/result.ts";

const LONGEST_QUOTE = 120;

/** `text` in double quotes, safe to show and not longer than a line. */
export function quote(text: string): string {
  const cut = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return `"${escapeForTerminal(cut)}"`;
}

/** The failure of everything in this directory that reads what an agent sent. */
export function malformed(
  what: string,
  value: string,
  state: string,
): { readonly ok: false; readonly error: FirmaError } {
  return err({
    code: "MALFORMED_REQUEST",
    message: `Cannot use ${what} ${quote(value)}: ${state}`,
  });
}
