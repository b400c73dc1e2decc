import {
  beginsEscape,
  EscapeReading,
  LONG_ESCAPE,
  LONGEST_ESCAPE,
  SHORT_ESCAPE,
  shortEscape,
} from "./mask_escapes.ts";
import { MaskMatcher } from "./mask_match.ts";
import { gramIndex, LEADING, type MaskTable } from "./mask_table.ts";

/** The leading characters of a form take up no more bytes, if all are escaped. */
const TAIL = LEADING * LONGEST_ESCAPE;
const ANY = 0xff;

/** A secret that was found. */
export interface Match {
  readonly start: number;
  readonly end: number;
  /** Its text in the table. */
  readonly text: number;
  /** The last byte that it shares with what follows, or -1. */
  readonly tail: number;
}

/**
 * Finds secrets in bytes. Of every four bytes one word of four is looked up in a table: unescaped,
 * one such word lies in the first eight characters of each form of a secret. A secret with an escape
 * there is found from that escape. Only at those places bytes are compared.
 */
export class MaskScan {
  /** What was found, in no order. */
  readonly matches: Match[] = [];
  /** What begins here or later may be a secret that goes on. */
  hold = 0;
  readonly #matcher = new MaskMatcher();
  readonly #reading = new EscapeReading();
  readonly #tried = new Int32Array(16);
  #table!: MaskTable;
  #bytes!: Uint8Array;
  #size = 0;
  #final = false;

  /** Looks through the first `size` of `bytes`; `words` are the same. Nothing follows if `final`. */
  run(table: MaskTable, bytes: Uint8Array, words: Int32Array, size: number, final: boolean): void {
    this.#table = table;
    this.#bytes = bytes;
    this.#size = this.hold = size;
    this.#final = final;
    if (this.matches.length > 0) this.matches.length = 0;
    for (let i = 0; i < 16; i++) this.#tried[i] = -1;
    const { grams, gramShift } = table;
    const count = size >> 2;
    for (let i = 0; i < count; i++) {
      const word = words[i]!;
      // A byte of one of these is zero where `$`, `%`, `&` or `'` stands, or a backslash.
      const signs = (word ^ 0x24242424) & 0xfcfcfcfc;
      const slashes = word ^ 0x5c5c5c5c;
      if (
        (((signs - 0x01010101) & ~signs | (slashes - 0x01010101) & ~slashes) & 0x80808080) !== 0
      ) this.#escapes(i << 2);
      const places = grams[gramIndex(word, gramShift)]!;
      if (places !== 0) this.#try(i << 2, places);
    }
    this.#tail();
  }

  #escapes(from: number): void {
    const bytes = this.#bytes;
    for (let at = from; at < from + 4; at++) {
      // Nearer to the end it is looked at as part of that.
      if (!beginsEscape(bytes[at]!) || at + SHORT_ESCAPE > this.#size) continue;
      const short = shortEscape(bytes, at);
      if (short >= 0) this.#tryEscape(at, at + (short >> 8), short & 0xff, false);
      else if (short === LONG_ESCAPE) this.#longEscape(at);
    }
  }

  #longEscape(at: number): void {
    const reading = this.#reading;
    reading.read(this.#bytes, at, this.#size);
    for (let i = 0; i < reading.codes.length; i++) {
      this.#tryEscape(at, reading.ends[i]!, reading.codes[i]!, reading.asCodePoint[i]!);
    }
  }

  /** Tries an escape as the first one in a secret: what stands before it there stands here as it is. */
  #tryEscape(at: number, end: number, code: number, asCodePoint: boolean): void {
    const { places, grams, gramShift } = this.#table;
    const isLong = asCodePoint && code > 0x7f;
    let possible = places[isLong ? utf8Lead(code) : code]!;
    if (possible === 0) return;
    const bytes = this.#bytes;
    let after = ANY;
    if (!isLong && end + 4 <= this.#size && !this.#hasEscape(end)) {
      after = grams[gramIndex(wordAt(bytes, end), gramShift)]!;
    }
    const before = at < 4 ? 0 : grams[gramIndex(wordAt(bytes, at - 4), gramShift)]!;
    // The first four places are told by the word that follows, the others by the word before.
    possible &= ((after >> 1) & 0x1f) | ((before << 4) & 0xf0);
    if (possible !== 0) this.#try(at, possible);
  }

  #hasEscape(from: number): boolean {
    const bytes = this.#bytes;
    return beginsEscape(bytes[from]!) || beginsEscape(bytes[from + 1]!) ||
      beginsEscape(bytes[from + 2]!) || beginsEscape(bytes[from + 3]!);
  }

  /**
   * What may begin a secret and go on beyond the end is too short to be found otherwise: where fewer
   * than {@linkcode LEADING} characters may be left, should every escape be as long as can be.
   */
  #tail(): void {
    const bytes = this.#bytes;
    const last = Math.max(0, this.#size - TAIL - LEADING);
    let characters = 0;
    // Nothing before as many places as an escape may take up leads beyond all of them.
    for (let at = this.#size - 1, enough = 0; at >= last && enough < LONGEST_ESCAPE; at--) {
      characters = beginsEscape(bytes[at]!) ? this.#before(at, characters) : characters + 1;
      enough = characters > LEADING ? enough + 1 : 0;
      if (enough === 0) this.#tryAt(at);
    }
  }

  /**
   * How many characters are left at least from where an escape may begin, if `after` are from the
   * place behind that on. What may go on beyond the end is not even one.
   */
  #before(at: number, after: number): number {
    const bytes = this.#bytes;
    if (at + SHORT_ESCAPE > this.#size) return 0;
    const short = shortEscape(bytes, at);
    if (short >= 0) return after + 2 - (short >> 8);
    if (short !== LONG_ESCAPE) return after + 1;
    const reading = this.#reading;
    reading.read(bytes, at, this.#size);
    if (reading.more) return 0;
    let end = at + 1;
    for (let i = 0; i < reading.ends.length; i++) end = Math.max(end, reading.ends[i]!);
    return after + 2 - (end - at);
  }

  /** Tries texts that have what is at `at` at one of some places. */
  #try(at: number, places: number): void {
    for (let before = 0; places !== 0; before++, places >>= 1) {
      if ((places & 1) !== 0) this.#tryAt(at - before);
    }
  }

  /** Whether the first two characters at `at` are those of some text, as far as that is told quickly. */
  #mayBegin(at: number): boolean {
    const first = this.#bytes[at]!;
    if (this.#mayFollow(first, at + 1)) return true;
    if (!beginsEscape(first)) return false;
    if (at + SHORT_ESCAPE > this.#size) return true;
    const short = shortEscape(this.#bytes, at);
    return short === LONG_ESCAPE ||
      short >= 0 && this.#mayFollow(short & 0xff, at + (short >> 8));
  }

  #mayFollow(first: number, at: number): boolean {
    const table = this.#table;
    if ((table.places[first]! & 1) === 0) return false;
    if (at >= this.#size) return true;
    const second = this.#bytes[at]!;
    if (hasPair(table, first, second)) return true;
    if (!beginsEscape(second)) return false;
    if (at + SHORT_ESCAPE > this.#size) return true;
    const short = shortEscape(this.#bytes, at);
    return short === LONG_ESCAPE || short >= 0 && hasPair(table, first, short & 0xff);
  }

  #tryAt(start: number): void {
    if (start < 0 || this.#tried[start & 15] === start) return;
    this.#tried[start & 15] = start;
    if (!this.#mayBegin(start)) return;
    if (start + 1 === this.#size && !beginsEscape(this.#bytes[start]!)) {
      // Some text begins so, or else it would not be tried.
      if (!this.#final) this.hold = Math.min(this.hold, start);
      return;
    }
    const matcher = this.#matcher;
    matcher.match(this.#table, this.#bytes, start, this.#size, this.#final);
    const { more, end, text, tail } = matcher;
    if (more) this.hold = Math.min(this.hold, start);
    else if (end >= 0) this.matches.push({ start, end, text, tail });
  }
}

function hasPair({ pairs }: MaskTable, first: number, second: number): boolean {
  const pair = first << 8 | second;
  return (pairs[pair >> 3]! & (1 << (pair & 7))) !== 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
}

/** The first byte of a code point beyond ASCII in UTF-8. */
function utf8Lead(code: number): number {
  if (code < 0x800) return 0xc0 | code >> 6;
  return code < 0x10000 ? 0xe0 | code >> 12 : 0xf0 | code >> 18;
}
