/** A token of a GraphQL document (specification of October 2021, 2.1.6). */
export interface Token {
  readonly kind: "punctuator" | "name" | "number" | "string" | "end";
  /** As written; of a string its value. */
  readonly text: string;
}

const MOST_TOKENS = 50_000;
const BLOCK = '"""';

// Comma, white space, line ends and comments mean nothing. A byte order mark does at the
// beginning alone, for some lexers know it nowhere else.
const IGNORED = /(?:[\t\n\r ,]|#[^\n\r]*)*/y;
const PUNCTUATOR = /\.\.\.|[!$&()\[\]{}:=@|]/y;
const NAME = /[_A-Za-z][_0-9A-Za-z]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![.\w])/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\})/y;
const SIMPLE: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * Cuts a GraphQL document into tokens.
 *
 * @throws {SyntaxError} When it is none, or has too many
 */
export function tokens(source: string): Token[] {
  const list: Token[] = [];
  let at = source.startsWith("\ufeff") ? 1 : 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at = pattern.lastIndex;
    return found;
  };
  for (;;) {
    match(IGNORED);
    if (at >= source.length) {
      list.push({ kind: "end", text: "" });
      return list;
    }
    if (list.length >= MOST_TOKENS) throw new SyntaxError("it is too long");
    const mark = match(PUNCTUATOR);
    if (mark !== undefined) {
      list.push({ kind: "punctuator", text: mark });
      continue;
    }
    const name = match(NAME);
    if (name !== undefined) {
      list.push({ kind: "name", text: name });
      continue;
    }
    const number = match(NUMBER);
    if (number !== undefined) {
      list.push({ kind: "number", text: number });
      continue;
    }
    const read = source.startsWith(BLOCK, at)
      ? blockString(source, at)
      : source[at] === '"'
      ? string(source, at)
      : undefined;
    if (read === undefined) throw new SyntaxError("there is a character that begins nothing");
    list.push({ kind: "string", text: read.value });
    at = read.end;
  }
}

function string(source: string, start: number): { value: string; end: number } {
  let value = "";
  for (let at = start + 1;;) {
    const character = source[at];
    if (character === '"') return { value, end: at + 1 };
    if (character === undefined || /[\n\r]/.test(character)) break;
    if (character !== "\\") {
      value += character;
      at++;
      continue;
    }
    ESCAPE.lastIndex = at;
    const escape = ESCAPE.exec(source)?.[0];
    if (escape === undefined) break;
    value += unescape(escape);
    at += escape.length;
  }
  throw new SyntaxError("a text does not end");
}

function unescape(escape: string): string {
  if (escape[1] !== "u") return SIMPLE[escape[1]!] ?? escape[1]!;
  const code = Number.parseInt(escape.replace(/[\\u{}]/g, ""), 16);
  if (code > 0x10ffff) throw new SyntaxError("a text has an escape that is no character");
  return String.fromCodePoint(code);
}

/** Indentation is kept: nothing here compares such a text as a whole. */
function blockString(source: string, start: number): { value: string; end: number } {
  for (let at = start + BLOCK.length;;) {
    const end = source.indexOf(BLOCK, at);
    if (end < 0) throw new SyntaxError("a text does not end");
    if (source[end - 1] !== "\\") {
      return { value: source.slice(start + BLOCK.length, end), end: end + BLOCK.length };
    }
    at = end + BLOCK.length;
  }
}
