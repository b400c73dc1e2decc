/**
 * Where the keys of a TOML document stand. `smol-toml` says what a document
 * means and where its syntax breaks, not where a key is; this scanner reads the
 * same text for positions alone. It expects a document that parsed; on any other
 * it stops early and returns what it found.
 */

/** Keys and array indices from the root of a document to a value. */
export type TomlPath = readonly (string | number)[];

/** A place in a text; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The position of each key, by {@linkcode pathKey}. */
export type Positions = ReadonlyMap<string, Position>;

/** Where in a text something is: the offset of its first character and of the one behind its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What an editor of a document has to know of it. */
export interface Spans {
  /** The value of each key and each member of a list, by {@linkcode pathKey}. */
  readonly values: ReadonlyMap<string, Span>;
  /** The headers, `[…]` and `[[…]]`, in the order of the text. */
  readonly headers: readonly (Span & { readonly path: TomlPath })[];
  /** The pairs of key and value that stand on their own, in the order of the text. */
  readonly pairs: readonly (Span & { readonly path: TomlPath })[];
}

/** An unambiguous name for a path. */
export function pathKey(path: TomlPath): string {
  return JSON.stringify(path);
}

class EndOfScan extends Error {}

class Scanner {
  readonly positions = new Map<string, Position>();
  readonly values = new Map<string, Span>();
  readonly headers: (Span & { readonly path: TomlPath })[] = [];
  readonly pairs: (Span & { readonly path: TomlPath })[] = [];
  /** Number of elements so far of each array of tables. */
  readonly #counts = new Map<string, number>();
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) {
      this.#lineStarts.push(i + 1);
    }
  }

  document(): void {
    let table: TomlPath = [];
    for (this.#blank(); this.#at < this.#text.length; this.#blank()) {
      if (this.#text[this.#at] === "[") table = this.#header();
      else {
        const start = this.#at;
        const path = this.#pair(table);
        this.pairs.push({ path, start, end: this.#at });
      }
    }
  }

  #header(): TomlPath {
    const start = this.#at;
    const isArray = this.#text[start + 1] === "[";
    this.#at += isArray ? 2 : 1;
    const keys = this.#dottedKey().map((part) => part.key);
    this.#expect("]");
    if (isArray) this.#expect("]");
    const path: (string | number)[] = [];
    for (const [i, key] of keys.entries()) {
      path.push(key);
      const name = pathKey(path);
      const last = i === keys.length - 1;
      this.#record(path, start);
      if (last && isArray) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
      const count = this.#counts.get(name);
      if (count !== undefined) path.push(count - 1);
    }
    this.#record(path, start);
    this.headers.push({ path, start, end: this.#at });
    return path;
  }

  #pair(table: TomlPath): TomlPath {
    const path = [...table];
    for (const { key, start } of this.#dottedKey()) {
      path.push(key);
      this.#record(path, start);
    }
    this.#expect("=");
    this.#inlineBlank();
    this.#value(path);
    return path;
  }

  #value(path: TomlPath): void {
    const start = this.#at;
    this.#plainValue(path);
    const end = start + this.#text.slice(start, this.#at).trimEnd().length;
    this.values.set(pathKey(path), { start, end });
  }

  #plainValue(path: TomlPath): void {
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") this.#string();
    else if (first === "[") {
      this.#at++;
      this.#members("]", (index) => {
        this.#record([...path, index], this.#at);
        this.#value([...path, index]);
      });
    } else if (first === "{") {
      this.#at++;
      this.#members("}", () => this.#pair(path));
    } else this.#skip(/[^,\]}#\r\n]+/y);
  }

  #members(end: string, member: (index: number) => void): void {
    for (let index = 0;; index++) {
      this.#blank();
      if (this.#text[this.#at] === end) break;
      member(index);
      this.#blank();
      if (this.#text[this.#at] !== ",") break;
      this.#at++;
    }
    this.#expect(end);
  }

  #dottedKey(): { key: string; start: number }[] {
    const parts = [];
    do {
      this.#inlineBlank();
      const start = this.#at;
      const quote = this.#text[start];
      if (quote === '"' || quote === "'") {
        this.#string();
        parts.push({ key: unquote(this.#text.slice(start, this.#at)), start });
      } else {
        this.#skip(/[^\s.=\]"'#[{},]+/y);
        parts.push({ key: this.#text.slice(start, this.#at), start });
      }
      this.#inlineBlank();
    } while (this.#take("."));
    return parts;
  }

  #string(): void {
    const quote = this.#text[this.#at]!;
    if (this.#text.startsWith(quote.repeat(3), this.#at)) {
      // A multi-line string may hold one or two quotes right before its end.
      this.#skip(
        quote === '"'
          ? /"""(?:[^\\"]|\\[^]|"(?!""))*"""(?:"{1,2}(?!"))?/y
          : /'''(?:[^']|'(?!''))*'''(?:'{1,2}(?!'))?/y,
      );
    } else this.#skip(quote === '"' ? /"(?:[^\\"\n]|\\.)*"/y : /'[^'\n]*'/y);
  }

  #record(path: TomlPath, offset: number): void {
    const name = pathKey(path);
    if (this.positions.has(name)) return;
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    this.positions.set(name, { line: low + 1, column: offset - this.#lineStarts[low]! + 1 });
  }

  /** Skips white space, line ends and comments. */
  #blank(): void {
    const blank = /(?:\s|#[^\n]*)*/y;
    blank.lastIndex = this.#at;
    blank.exec(this.#text);
    this.#at = blank.lastIndex;
  }

  #inlineBlank(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\t") this.#at++;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw new EndOfScan();
  }

  /** Moves behind what `pattern` (sticky) matches here. */
  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.exec(this.#text) === null) throw new EndOfScan();
    this.#at = pattern.lastIndex;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\x1b",
};

function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith("'")) return inner;
  return inner.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gi,
    (_, x, u, U, c) => {
      const hex = x ?? u ?? U;
      if (hex === undefined) return ESCAPES[c] ?? c;
      const code = Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : "";
    },
  );
}

function scan(text: string): Scanner {
  const scanner = new Scanner(text);
  try {
    scanner.document();
  } catch (stop) {
    if (!(stop instanceof EndOfScan)) throw stop;
  }
  return scanner;
}

/** Finds where each key of a TOML document stands. Never throws. */
export function tomlPositions(text: string): Positions {
  return scan(text).positions;
}

/** Finds what an edit of a TOML document has to go by. Never throws. */
export function tomlSpans(text: string): Spans {
  return scan(text);
}
