/** One policy as it stands in a file. */
export interface Statement {
  readonly text: string;
  /** Offset of the first character after blanks and comments, in UTF-16 units. */
  readonly start: number;
  /** Deepest nesting of brackets. */
  readonly depth: number;
  /** How many `if` expressions it has. */
  readonly conditionals: number;
  /** How many operators and member accesses it has; a chain of them nests. */
  readonly operators: number;
}

const BLANK = /\s/u;
const WORD = /[A-Za-z_]/;
const WORDS = /[A-Za-z_0-9]*/y;

/**
 * Cuts a Cedar file into its policies. Cedar separates policies by `;`, which
 * occurs nowhere else but in strings and comments, so the cut is exact for every
 * file that Cedar accepts, and each piece of any other file is refused by
 * Cedar on its own.
 */
export function splitStatements(text: string): Statement[] {
  const statements: Statement[] = [];
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const { statement, end } = scanStatement(text, at);
    statements.push(statement);
    at = skipBlanks(text, end);
  }
  return statements;
}

function scanStatement(text: string, start: number): { statement: Statement; end: number } {
  let depth = 0;
  let deepest = 0;
  let conditionals = 0;
  let operators = 0;
  let at = start;
  while (at < text.length && text[at] !== ";") {
    const char = text[at]!;
    if (char === '"') {
      at = skipString(text, at);
    } else if (text.startsWith("//", at)) {
      at = skipComment(text, at);
    } else if (WORD.test(char)) {
      WORDS.lastIndex = at;
      const [word] = WORDS.exec(text)!;
      if (word === "if") conditionals++;
      at += word.length;
    } else {
      if ("([{".includes(char)) deepest = Math.max(deepest, ++depth);
      else if (")]}".includes(char)) depth--;
      else if ("&|+-*.!<>=".includes(char)) operators++;
      at++;
    }
  }
  const end = Math.min(at + 1, text.length);
  const statement = {
    text: text.slice(start, end),
    start,
    depth: deepest,
    conditionals,
    operators,
  };
  return { statement, end };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    if (text.startsWith("//", at)) at = skipComment(text, at);
    else if (BLANK.test(text[at]!)) at++;
    else break;
  }
  return at;
}

function skipComment(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at++;
  return at;
}

/** Returns the offset after the closing quote, or the end of the text when there is none. */
function skipString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}
