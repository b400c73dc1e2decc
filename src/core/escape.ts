/**
 * What must not reach a terminal raw: C0 and C1 controls and DEL (cursor
 * movement, title, clipboard), the bidirectional controls (text that reads
 * differently from what it is), the line and paragraph separators, and lone
 * surrogates (which the encoder would replace).
 */
const UNSAFE =
  // deno-lint-ignore no-control-regex -- controls are what this looks for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return code <= 0xff
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

/**
 * Makes text that an agent or a file chose safe to print on one line of a
 * terminal: controls become `\x1b` and the like, everything else stays.
 */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, visible);
}

/** {@linkcode escapeForTerminal} for text of several lines: line feeds stay. */
export function escapeLinesForTerminal(text: string): string {
  return text.split("\n").map(escapeForTerminal).join("\n");
}
