/**
 * Escapes of single characters in bytes: percent-encoding, backslashes (JSON, JavaScript, C) and
 * character references of HTML and XML, each also when it was itself escaped again. What decodes to
 * more than is there is harmless: only whole secrets are replaced.
 */

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const MOST_LAYERS = 3;
const MOST_BACKSLASHES = 8;
const MOST_DIGITS = 8;

/** No escape is longer, in bytes: a surrogate pair, both halves after eight backslashes. */
export const LONGEST_ESCAPE = 28;

/** Whether a byte may begin an escape. */
export function beginsEscape(byte: number): boolean {
  return byte === BACKSLASH || byte === PERCENT || byte === AMPERSAND;
}

/** By the letter after the backslash. */
const CONTROLS: ReadonlyMap<number, number> = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x76, 0x0b],
]);

/** Names that encoders of HTML and XML write for what may stand in a secret. */
const NAMED: readonly (readonly [string, string])[] = [
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["plus", "+"],
  ["sol", "/"],
  ["equals", "="],
  ["lowbar", "_"],
  ["colon", ":"],
  ["period", "."],
  ["num", "#"],
  ["dollar", "$"],
  ["percnt", "%"],
  ["ast", "*"],
  ["excl", "!"],
  ["quest", "?"],
  ["commat", "@"],
  ["semi", ";"],
  ["comma", ","],
  ["lpar", "("],
  ["rpar", ")"],
  ["lsqb", "["],
  ["lbrack", "["],
  ["rsqb", "]"],
  ["rbrack", "]"],
  ["lcub", "{"],
  ["lbrace", "{"],
  ["rcub", "}"],
  ["rbrace", "}"],
  ["verbar", "|"],
  ["vert", "|"],
  ["Hat", "^"],
  ["grave", "`"],
  ["bsol", "\\"],
  ["Tab", "\t"],
  ["NewLine", "\n"],
];
interface Name {
  readonly letters: readonly number[];
  readonly code: number;
}

const codesOf = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

/** By their first letter. */
const NAMES: ReadonlyMap<number, readonly Name[]> = Map.groupBy(
  NAMED.map(([name, character]) => ({ letters: codesOf(name), code: character.charCodeAt(0) })),
  ({ letters }) => letters[0]!,
);
const AMP = codesOf("amp;");

const HEX_DIGITS = new Int8Array(256).fill(-1);
for (const [value, letter] of [..."0123456789abcdef"].entries()) {
  HEX_DIGITS[letter.charCodeAt(0)] = HEX_DIGITS[letter.toUpperCase().charCodeAt(0)] = value;
}

function hexDigit(byte: number): number {
  return HEX_DIGITS[byte] ?? -1;
}

const IS_PUNCTUATION = new Uint8Array(256);
for (const code of codesOf("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")) IS_PUNCTUATION[code] = 1;

/** {@linkcode shortEscape}: this is no escape. */
export const NO_ESCAPE = -1;
/** {@linkcode shortEscape}: an {@linkcode EscapeReading} has to tell. */
export const LONG_ESCAPE = -2;

/** What a letter after a backslash stands for, besides itself. */
const AFTER_BACKSLASH = new Int16Array(256).fill(NO_ESCAPE);
for (let byte = 0; byte < 256; byte++) {
  if (IS_PUNCTUATION[byte] === 1) AFTER_BACKSLASH[byte] = byte;
}
for (const letter of codesOf("ux\\01234567")) AFTER_BACKSLASH[letter] = LONG_ESCAPE;
for (const [letter, code] of CONTROLS) AFTER_BACKSLASH[letter] = code;

/** A bit for each two bytes that may follow an ampersand. */
const AFTER_AMPERSAND = new Uint8Array(8_192);
const mayFollow = (first: number, second: number): void => {
  AFTER_AMPERSAND[(first << 8 | second) >> 3]! |= 1 << (second & 7);
};
for (const second of codesOf("xX0123456789")) mayFollow(HASH, second);
for (const { letters } of [...NAMES.values()].flat()) mayFollow(letters[0]!, letters[1]!);

function isReference(bytes: Uint8Array, at: number): boolean {
  const second = bytes[at + 2]!;
  return (AFTER_AMPERSAND[(bytes[at + 1]! << 8 | second) >> 3]! & (1 << (second & 7))) !== 0;
}

/**
 * What an escape stands for that is short and can mean one byte only: that byte plus 256 times its
 * size. Needs {@linkcode SHORT_ESCAPE} bytes from `at` on.
 */
export function shortEscape(bytes: Uint8Array, at: number): number {
  const next = bytes[at + 1]!;
  switch (bytes[at]) {
    case BACKSLASH: {
      const code = AFTER_BACKSLASH[next]!;
      return code < 0 ? code : code + 2 * 256;
    }
    case PERCENT: {
      const high = hexDigit(next);
      const low = hexDigit(bytes[at + 2]!);
      if (next === 0x75 || (high === 2 && low === 5)) return LONG_ESCAPE;
      return high < 0 || low < 0 ? NO_ESCAPE : high * 16 + low + 3 * 256;
    }
    default:
      if (!isReference(bytes, at)) return NO_ESCAPE;
      // By far the most frequent one, where it escapes nothing that is an escape itself.
      if (bytes[at + 4] === SEMICOLON && next === 0x61 && bytes[at + 2] === 0x6d) {
        return isReference(bytes, at + 4) ? LONG_ESCAPE : AMPERSAND + 5 * 256;
      }
      return LONG_ESCAPE;
  }
}

/** How many bytes {@linkcode shortEscape} looks at. */
export const SHORT_ESCAPE = 7;

/** What the bytes at one place may mean. Reused: read it before the next reading. */
export class EscapeReading {
  /** Each a byte, or above 0x7f with `asCodePoint` a code point. */
  readonly codes: number[] = [];
  readonly asCodePoint: boolean[] = [];
  /** Where each one ends. */
  readonly ends: number[] = [];
  /** More bytes could make it something else. */
  more = false;

  /** Reads at `at`, where {@linkcode beginsEscape} holds, in `bytes` as far as `end`. */
  read(bytes: Uint8Array, at: number, end: number): void {
    this.codes.length = this.asCodePoint.length = this.ends.length = 0;
    this.more = false;
    switch (bytes[at]) {
      case PERCENT:
        return this.#percent(bytes, at, end);
      case BACKSLASH:
        return this.#backslash(bytes, at, end);
      default:
        return this.#reference(bytes, at, end);
    }
  }

  #add(code: number, end: number, asCodePoint: boolean): void {
    this.codes.push(code);
    this.ends.push(end);
    this.asCodePoint.push(asCodePoint);
  }

  /** RFC 3986, 2.1; each further layer writes `%` as `%25`. `%uXXXX` is what `escape()` writes. */
  #percent(bytes: Uint8Array, at: number, end: number): void {
    let next = at + 1;
    for (let layer = 0; layer <= MOST_LAYERS; layer++) {
      if (next >= end) return void (this.more = true);
      if (bytes[next] === 0x75) {
        const unit = this.#hex(bytes, next + 1, end, 4);
        if (unit >= 0) this.#add(unit, next + 5, true);
        return;
      }
      const byte = this.#hex(bytes, next, end, 2);
      if (byte < 0) return;
      this.#add(byte, next + 2, false);
      if (byte !== PERCENT) return;
      next += 2;
    }
  }

  #backslash(bytes: Uint8Array, at: number, end: number): void {
    let next = at + 1;
    while (next < end && next - at < MOST_BACKSLASHES && bytes[next] === BACKSLASH) next++;
    const run = next - at;
    for (let count = 2; count <= run; count *= 2) this.#add(BACKSLASH, at + count, false);
    if (next >= end) return void (this.more = true);
    const letter = bytes[next]!;
    if (letter === 0x75) return this.#utf16(bytes, next + 1, end);
    if (letter === 0x78) {
      const byte = this.#hex(bytes, next + 1, end, 2);
      if (byte < 0) return;
      this.#add(byte, next + 3, false);
      if (byte > 0x7f) this.#add(byte, next + 3, true);
      return;
    }
    if (letter >= 0x30 && letter <= 0x37) return this.#octal(bytes, next, end);
    const control = CONTROLS.get(letter);
    if (control !== undefined) this.#add(control, next + 1, false);
    else if (IS_PUNCTUATION[letter] === 1 && letter !== BACKSLASH) {
      this.#add(letter, next + 1, false);
    }
  }

  #octal(bytes: Uint8Array, at: number, end: number): void {
    let value = 0;
    for (let digit = 0; digit < 3; digit++) {
      if (at + digit >= end) return void (this.more = true);
      const letter = bytes[at + digit]!;
      if (letter < 0x30 || letter > 0x37) return;
      value = value * 8 + letter - 0x30;
    }
    if (value <= 0xff) this.#add(value, at + 3, false);
  }

  /** `\uXXXX`, as a pair where it takes one (RFC 8259, 7), or `\u{X…}`. */
  #utf16(bytes: Uint8Array, at: number, end: number): void {
    if (at < end && bytes[at] === 0x7b) return this.#braces(bytes, at + 1, end);
    const unit = this.#hex(bytes, at, end, 4);
    if (unit < 0) return;
    if (unit < 0xd800 || unit > 0xdbff) return this.#add(unit, at + 4, true);
    let next = at + 4;
    while (next < end && next - at - 4 < MOST_BACKSLASHES && bytes[next] === BACKSLASH) next++;
    if (next >= end) return void (this.more = true);
    if (next === at + 4 || bytes[next] !== 0x75) return;
    const low = this.#hex(bytes, next + 1, end, 4);
    if (low < 0xdc00 || low > 0xdfff) return;
    this.#add(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), next + 5, true);
  }

  #braces(bytes: Uint8Array, at: number, end: number): void {
    let value = 0;
    for (let next = at; next <= at + MOST_DIGITS; next++) {
      if (next >= end) return void (this.more = true);
      if (bytes[next] === 0x7d) {
        if (next > at && value <= 0x10ffff) this.#add(value, next + 1, true);
        return;
      }
      const digit = hexDigit(bytes[next]!);
      if (digit < 0) return;
      value = value * 16 + digit;
    }
  }

  /** `&#65;`, `&#x41;`, `&lt;`; browsers take a number without its semicolon too. */
  #reference(bytes: Uint8Array, at: number, end: number): void {
    let next = at + 1;
    for (let layer = 0; layer < MOST_LAYERS; layer++) {
      if (!this.#isAt(bytes, next, end, AMP)) break;
      this.#add(AMPERSAND, next + AMP.length, false);
      next += AMP.length;
    }
    if (this.more) return;
    if (next >= end) return void (this.more = true);
    if (bytes[next] === HASH) return this.#number(bytes, next + 1, end);
    for (const { letters, code } of NAMES.get(bytes[next]!) ?? []) {
      if (!this.#isAt(bytes, next, end, letters)) continue;
      const after = next + letters.length;
      if (after >= end) this.more = true;
      else if (bytes[after] === SEMICOLON) this.#add(code, after + 1, false);
    }
  }

  #number(bytes: Uint8Array, at: number, end: number): void {
    if (at >= end) return void (this.more = true);
    const isHex = (bytes[at]! | 0x20) === 0x78;
    const from = isHex ? at + 1 : at;
    let value = 0;
    for (let next = from; next <= from + MOST_DIGITS; next++) {
      const byte = next < end ? bytes[next]! : -1;
      const digit = isHex ? hexDigit(byte) : byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
      if (digit >= 0) {
        value = value * (isHex ? 16 : 10) + digit;
        continue;
      }
      if (next >= end) this.more = true;
      if (next > from && value <= 0x10ffff) {
        this.#add(value, byte === SEMICOLON ? next + 1 : next, true);
      }
      return;
    }
  }

  /** The number in `count` digits, or -1. */
  #hex(bytes: Uint8Array, at: number, end: number, count: number): number {
    let value = 0;
    for (let digit = 0; digit < count; digit++) {
      if (at + digit >= end) {
        this.more = true;
        return -1;
      }
      const nibble = hexDigit(bytes[at + digit]!);
      if (nibble < 0) return -1;
      value = value * 16 + nibble;
    }
    return value;
  }

  #isAt(bytes: Uint8Array, at: number, end: number, letters: readonly number[]): boolean {
    for (let i = 0; i < letters.length; i++) {
      if (at + i >= end) {
        this.more = true;
        return false;
      }
      if (bytes[at + i] !== letters[i]) return false;
    }
    return true;
  }
}
