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
  /** Where the action constraint of the scope is within `text`; absent when there is no scope. */
  readonly action?: { readonly from: number; readonly to: number };
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
  // The scope is the bracket that follows `permit` or `forbid` outside of any other bracket.
  let scope: "unseen" | "expected" | "inside" | "done" = "unseen";
  const commas: number[] = [];
  let scopeEnd = 0;
  let at = start;
  while (at < text.length && text[at] !== ";") {
    const char = text[at]!;
    if (char === '"') {
      at = skipString(text, at);
      continue;
    }
    if (char === "/" && text[at + 1] === "/") {
      at = skipComment(text, at);
      continue;
    }
    if (WORD.test(char)) {
      WORDS.lastIndex = at;
      const word = WORDS.exec(text)![0];
      if (word === "if") conditionals++;
      if (scope === "unseen" && depth === 0 && (word === "permit" || word === "forbid")) {
        if (text[at - 1] !== "@") scope = "expected";
      }
      at += word.length;
      continue;
    }
    if (char === "(" || char === "[" || char === "{") {
      if (scope === "expected") scope = "inside";
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (char === ")" || char === "]" || char === "}") {
      depth--;
      if (scope === "inside" && depth === 0) {
        scope = "done";
        scopeEnd = at;
      }
    } else if (char === "," && scope === "inside" && depth === 1) {
      commas.push(at);
    } else if ("&|+-*.!<>=".includes(char)) {
      operators++;
    }
    at++;
  }
  const end = Math.min(at + 1, text.length);
  const action = scope === "done" && commas.length >= 2
    ? { from: commas[0]! + 1 - start, to: Math.min(commas[1]!, scopeEnd) - start }
    : undefined;
  const statement = {
    text: text.slice(start, end),
    start,
    depth: deepest,
    conditionals,
    operators,
    ...(action && { action }),
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
