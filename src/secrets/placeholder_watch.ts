import type { PlaceholderSearch } from "./placeholder_search.ts";
import { type Spelling, Unescaper } from "./unescaper.ts";

/**
 * Watches bytes go by, in pieces of any size, for placeholders that are spelt plainly or with
 * escapes. Keeps no more than the longest placeholder of what went by.
 */
export class PlaceholderWatch {
  readonly #search: PlaceholderSearch;
  readonly #unescaper: Unescaper | undefined;
  /** The end of what was seen, which what comes next may go on with. */
  #tail: Uint8Array = new Uint8Array();

  constructor(search: PlaceholderSearch, spelling?: Spelling) {
    this.#search = search;
    this.#unescaper = spelling && new Unescaper(spelling);
  }

  /** The placeholders that are whole with this piece. */
  push(piece: Uint8Array): string[] {
    if (this.#search.longest === 0 || piece.length === 0) return [];
    return this.#see(this.#unescaper?.push(piece) ?? piece);
  }

  #see(bytes: Uint8Array): string[] {
    const found: string[] = [];
    const { longest } = this.#search;
    const tail = this.#tail;
    const joint = new Uint8Array(tail.length + Math.min(bytes.length, longest));
    joint.set(tail);
    joint.set(bytes.subarray(0, longest), tail.length);
    let from = 0;
    for (let at = this.#search.find(joint); at; at = this.#search.find(joint, at.end)) {
      if (at.start >= tail.length) break;
      found.push(at.text);
      from = at.end - tail.length;
    }
    for (let at = this.#search.find(bytes, from); at; at = this.#search.find(bytes, at.end)) {
      found.push(at.text);
      from = at.end;
    }
    // What belongs to an occurrence already is no beginning of another.
    const rest = from === 0 && bytes.length < longest ? joint : bytes.subarray(from);
    this.#tail = rest.slice(Math.max(0, rest.length - longest + 1));
    return found;
  }
}
