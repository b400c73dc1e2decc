import type { PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import { PlaceholderWatch } from "../../secrets/placeholder_watch.ts";
import { HeldBytes } from "./request_held.ts";
import { isSecretField, type Place, type Resolve, type Swapper } from "./request_place.ts";
import { swapText } from "./request_text.ts";

const AMPERSAND = 0x26;
const EQUALS = 0x3d;

/** `name=value&…`, percent-encoded: a form in a body, or the query of an URL. */
export class FormSwapper implements Swapper {
  readonly #search: PlaceholderSearch;
  readonly #resolve: Resolve;
  readonly #kind: "form" | "query";
  readonly #watch: PlaceholderWatch;
  readonly #name = new HeldBytes();
  readonly #value = new HeldBytes();
  #state: "name" | "held value" | "value" = "name";
  #field = "";

  constructor(kind: "form" | "query", search: PlaceholderSearch, resolve: Resolve) {
    this.#kind = kind;
    this.#search = search;
    this.#resolve = resolve;
    this.#watch = new PlaceholderWatch(search, "percent");
  }

  push(piece: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let at = 0; at < piece.length;) {
      const next = endOf(piece, at, this.#state === "name");
      const part = piece.subarray(at, next);
      const mark = piece[next];
      if (this.#state === "held value") this.#hold(part, out);
      else {
        if (this.#state === "name" && !this.#name.isFull) this.#name.add(part);
        this.#pass(part, out);
      }
      if (mark === undefined) break;
      if (mark === AMPERSAND) this.#endPair(out);
      this.#pass(piece.subarray(next, next + 1), out);
      if (mark === EQUALS && this.#state === "name") this.#endName();
      at = next + 1;
    }
    return out;
  }

  end(): Uint8Array[] {
    const out: Uint8Array[] = [];
    this.#endPair(out);
    return out;
  }

  #endName(): void {
    this.#field = decoded(this.#name.text());
    this.#state = isSecretField(this.#field, this.#kind) ? "held value" : "value";
    this.#name.clear();
  }

  #endPair(out: Uint8Array[]): void {
    if (this.#state === "held value") {
      const place: Place = { kind: this.#kind, name: this.#field };
      const value = decoded(this.#value.text());
      const swapped = swapText(value, place, this.#search, this.#resolve);
      if (swapped === undefined) this.#pass(this.#value.bytes(), out);
      else out.push(new TextEncoder().encode(encodeURIComponent(swapped)));
    }
    this.#value.clear();
    this.#name.clear();
    this.#state = "name";
  }

  /** Holds part of a value back, unless that is longer than any secret. */
  #hold(part: Uint8Array, out: Uint8Array[]): void {
    this.#value.add(part);
    if (!this.#value.isFull) return;
    this.#state = "value";
    this.#pass(this.#value.bytes(), out);
    this.#value.clear();
  }

  #pass(part: Uint8Array, out: Uint8Array[]): void {
    if (part.length === 0) return;
    for (const found of this.#watch.push(part)) {
      this.#resolve(found, { kind: this.#kind, name: "" });
    }
    out.push(part);
  }
}

function endOf(piece: Uint8Array, from: number, inName: boolean): number {
  for (let at = from; at < piece.length; at++) {
    if (piece[at] === AMPERSAND || (inName && piece[at] === EQUALS)) return at;
  }
  return piece.length;
}

/** As whoever receives it reads it; what is not encoded well stays. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "));
  } catch {
    return text;
  }
}
