import type { PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import { PlaceholderWatch } from "../../secrets/placeholder_watch.ts";
import { HeldBytes } from "./request_held.ts";
import {
  isSecretField,
  LONGEST_NAME,
  type Place,
  type Resolve,
  type Swapper,
} from "./request_place.ts";
import { swapText } from "./request_text.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** A name may be spelt with an escape for each of its characters. */
const LONGEST_SPELT_NAME = LONGEST_NAME * 6;

/**
 * JSON (RFC 8259), also several texts one after the other. Reads no more than the strings of it: one
 * that a colon follows is the name of what comes after the colon. What breaks the grammar goes on
 * as it came.
 */
export class JsonSwapper implements Swapper {
  readonly #search: PlaceholderSearch;
  readonly #resolve: Resolve;
  readonly #kind: "json" | "websocket";
  readonly #watch: PlaceholderWatch;
  #state: "outside" | "string" | "held string" = "outside";
  #escaped = false;
  /** The last string, or as much of it as a name can have. */
  readonly #last = new HeldBytes();
  #lastSize = 0;
  /** What stands between the last string and here, besides white space. */
  #between: "nothing" | "colon" | "more" = "more";
  #field = "";
  readonly #value = new HeldBytes();

  constructor(kind: "json" | "websocket", search: PlaceholderSearch, resolve: Resolve) {
    this.#kind = kind;
    this.#search = search;
    this.#resolve = resolve;
    this.#watch = new PlaceholderWatch(search, "json");
  }

  push(piece: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    let passed = 0;
    for (let at = 0; at < piece.length;) {
      if (this.#state === "outside") {
        const byte = piece[at++]!;
        if (byte !== QUOTE) {
          this.#noteBetween(byte);
          continue;
        }
        if (!this.#beginString()) continue;
        this.#pass(piece.subarray(passed, at), out);
        passed = at;
        continue;
      }
      const end = this.#endOfString(piece, at);
      const part = piece.subarray(at, end);
      if (this.#state === "held string") {
        this.#hold(part, out);
        passed = end;
      } else this.#noteString(part);
      at = end;
      if (end === piece.length) break;
      // The closing quote.
      this.#endString(out);
      at++;
    }
    this.#pass(piece.subarray(passed), out);
    return out;
  }

  end(): Uint8Array[] {
    const out: Uint8Array[] = [];
    // A string that never ended is none.
    this.#pass(this.#value.bytes(), out);
    this.#value.clear();
    return out;
  }

  #noteBetween(byte: number): void {
    if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) return;
    this.#between = byte === COLON && this.#between === "nothing" ? "colon" : "more";
  }

  /** Whether the string is held back. */
  #beginString(): boolean {
    const name = this.#between === "colon" ? this.#lastString() : undefined;
    this.#field = name ?? "";
    const isHeld = name !== undefined && isSecretField(name, this.#kind);
    this.#state = isHeld ? "held string" : "string";
    this.#escaped = false;
    this.#last.clear();
    this.#lastSize = 0;
    return isHeld;
  }

  /** Where the string ends, or the piece. */
  #endOfString(piece: Uint8Array, from: number): number {
    for (let at = from; at < piece.length; at++) {
      if (this.#escaped) this.#escaped = false;
      else if (piece[at] === QUOTE) return at;
      else if (piece[at] === BACKSLASH) this.#escaped = true;
    }
    return piece.length;
  }

  #noteString(part: Uint8Array): void {
    this.#lastSize += part.length;
    if (this.#lastSize <= LONGEST_SPELT_NAME) this.#last.add(part);
  }

  #lastString(): string | undefined {
    return this.#lastSize <= LONGEST_SPELT_NAME ? decoded(this.#last.text()) : undefined;
  }

  #endString(out: Uint8Array[]): void {
    if (this.#state === "held string") {
      const value = decoded(this.#value.text());
      const place: Place = { kind: this.#kind, name: this.#field };
      const swapped = value && swapText(value, place, this.#search, this.#resolve);
      if (swapped === undefined || swapped === "") this.#pass(this.#value.bytes(), out);
      else out.push(new TextEncoder().encode(JSON.stringify(swapped).slice(1, -1)));
      this.#value.clear();
      // It may be a name itself, of nothing that is for secrets.
      this.#lastSize = Infinity;
    }
    this.#state = "outside";
    this.#between = "nothing";
  }

  /** Holds part of a value back, unless that is longer than any secret. */
  #hold(part: Uint8Array, out: Uint8Array[]): void {
    this.#value.add(part);
    if (!this.#value.isFull) return;
    this.#state = "string";
    this.#lastSize = Infinity;
    this.#pass(this.#value.bytes(), out);
    this.#value.clear();
  }

  #pass(part: Uint8Array, out: Uint8Array[]): void {
    if (part.length === 0) return;
    const place: Place = { kind: this.#kind, name: "" };
    for (const found of this.#watch.push(part)) this.#resolve(found, place);
    out.push(part);
  }
}

/** What stands between the quotes, or nothing when that is no string of JSON. */
function decoded(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}
