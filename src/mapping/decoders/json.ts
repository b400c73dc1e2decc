import { err, ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import { utf8 } from "./text.ts";

/** A JSON value; an object keeps its keys in a map, so that none of them means anything here. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A JSON object. */
export type JsonObject = ReadonlyMap<string, Json>;

const DEEPEST = 64;
const MOST_VALUES = 100_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * What readers that ignore the case of keys (Go's among them) take for one key,
 * Kelvin sign and long s included.
 */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

class Reader {
  #at = 0;
  #values = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw new SyntaxError("there is something behind it");
    return value;
  }

  #space(): void {
    const gap = /[ \t\r\n]*/y;
    gap.lastIndex = this.#at;
    gap.test(this.#text);
    this.#at = gap.lastIndex;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #value(depth: number): Json {
    if (depth > DEEPEST) throw new SyntaxError("it is nested too deep");
    if (++this.#values > MOST_VALUES) throw new SyntaxError("it has too many values");
    this.#space();
    const next = this.#text[this.#at];
    if (next === '"') return this.#string();
    if (this.#take("{")) return this.#object(depth);
    if (this.#take("[")) return this.#array(depth);
    const word = this.#match(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (word === undefined) throw new SyntaxError("it is not JSON");
    return JSON.parse(word);
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    if (text[start] !== '"') throw new SyntaxError("it is not JSON");
    let escaped = false;
    let at = start + 1;
    for (;; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      // NaN is the end of the text.
      if (!(code >= 0x20)) throw new SyntaxError("a text in it is not JSON");
      if (code === BACKSLASH) {
        escaped = true;
        at++;
      }
    }
    this.#at = at + 1;
    // JSON.parse refuses the escapes that there are not.
    const value: string = escaped
      ? JSON.parse(text.slice(start, this.#at))
      : text.slice(start + 1, at);
    // Readers put different things in the place of half a surrogate pair.
    if (!value.isWellFormed()) throw new SyntaxError("a text in it is not Unicode");
    return value;
  }

  #object(depth: number): JsonObject {
    const object = new Map<string, Json>();
    const folded = new Set<string>();
    if (this.#take("}")) return object;
    do {
      this.#space();
      const key = this.#string();
      const same = fold(key);
      if (folded.has(same)) throw new SyntaxError(`the key ${quote(key)} is there twice`);
      folded.add(same);
      if (!this.#take(":")) throw new SyntaxError("it is not JSON");
      object.set(key, this.#value(depth + 1));
    } while (this.#take(","));
    if (!this.#take("}")) throw new SyntaxError("it is not JSON");
    return object;
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    if (this.#take("]")) return items;
    do items.push(this.#value(depth + 1)); while (this.#take(","));
    if (!this.#take("]")) throw new SyntaxError("it is not JSON");
    return items;
  }
}

/**
 * Reads JSON (RFC 8259) that every reader takes for the same value, or says why it
 * is not: keys that are there twice (or differ in case alone), half surrogate
 * pairs, a byte order mark, and nesting or a number of values that is out of
 * proportion are refused.
 */
export function parseJson(bytes: Uint8Array): Result<Json, string> {
  const text = utf8(bytes);
  if (text === undefined) return err("it is not UTF-8");
  try {
    return ok(new Reader(text).document());
  } catch (error) {
    return err(error instanceof SyntaxError ? error.message : "it is not JSON");
  }
}

/** Tells whether a value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

/**
 * The member of an object by its exact name. A name that differs in case alone is
 * an error, for some readers would take it.
 */
export function member(object: JsonObject, name: string): Result<Json | undefined, string> {
  const value = object.get(name);
  if (value !== undefined) return ok(value);
  for (const key of object.keys()) {
    if (fold(key) === fold(name)) return err(`the key ${quote(key)} is not spelt "${name}"`);
  }
  return ok(undefined);
}
