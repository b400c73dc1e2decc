/** Where an occurrence lies. */
export interface Occurrence {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const toBytes = new TextEncoder();

/**
 * Finds any of many texts in bytes. Looks at two bytes and, from where they may stand in the
 * texts, skips ahead (Wu and Manber, 1994): most of the bytes are never read.
 */
export class PlaceholderSearch {
  /** Length of the longest text; 0 when there is none. */
  readonly longest: number;
  /** Length of the shortest. */
  readonly #window: number;
  /** By two bytes: how far the window may move when it ends with them. */
  readonly #shifts: Uint8Array;
  /** By the two bytes that end the window: the texts that it may be the beginning of. */
  readonly #candidates = new Map<number, { readonly text: string; readonly bytes: Uint8Array }[]>();

  /** None of the texts may have fewer than two characters. */
  constructor(texts: Iterable<string>) {
    const patterns = [...new Set(texts)].map((text) => ({ text, bytes: toBytes.encode(text) }));
    const lengths = patterns.map(({ bytes }) => bytes.length);
    this.longest = Math.max(0, ...lengths);
    this.#window = patterns.length === 0 ? 0 : Math.min(255, ...lengths);
    this.#shifts = new Uint8Array(patterns.length === 0 ? 0 : 65_536).fill(this.#window - 1);
    // The longest first: where one is the beginning of another, the whole of it is what was sent.
    patterns.sort((a, b) => b.bytes.length - a.bytes.length);
    for (const pattern of patterns) this.#add(pattern);
  }

  #add(pattern: { readonly text: string; readonly bytes: Uint8Array }): void {
    const { bytes } = pattern;
    for (let i = 1; i < this.#window; i++) {
      const pair = bytes[i - 1]! << 8 | bytes[i]!;
      this.#shifts[pair] = Math.min(this.#shifts[pair]!, this.#window - 1 - i);
    }
    const last = bytes[this.#window - 2]! << 8 | bytes[this.#window - 1]!;
    const others = this.#candidates.get(last);
    if (others === undefined) this.#candidates.set(last, [pattern]);
    else others.push(pattern);
  }

  /** The first occurrence in `bytes` that begins at `from` or later. */
  find(bytes: Uint8Array, from = 0): Occurrence | undefined {
    const window = this.#window;
    if (window === 0) return undefined;
    const shifts = this.#shifts;
    for (let end = from + window - 1; end < bytes.length;) {
      const pair = bytes[end - 1]! << 8 | bytes[end]!;
      const shift = shifts[pair]!;
      if (shift > 0) {
        end += shift;
        continue;
      }
      const start = end - window + 1;
      for (const { text, bytes: wanted } of this.#candidates.get(pair)!) {
        if (startsWith(bytes, start, wanted)) return { start, end: start + wanted.length, text };
      }
      end++;
    }
    return undefined;
  }

  /** Every occurrence in `text`, from left to right; none overlaps another. */
  findAll(text: string): Occurrence[] {
    const found: Occurrence[] = [];
    if (text.length < this.#window || this.#window === 0) return found;
    const bytes = asciiBytes(text);
    for (let at = this.find(bytes); at !== undefined; at = this.find(bytes, at.end)) found.push(at);
    return found;
  }
}

function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  if (at + wanted.length > bytes.length) return false;
  for (let i = 0; i < wanted.length; i++) {
    if (bytes[at + i] !== wanted[i]) return false;
  }
  return true;
}

/** A byte a character. One that is not of ASCII is in no placeholder and does not become part of one. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = Math.min(text.charCodeAt(i), 0xff);
  return bytes;
}

/** The text that {@linkcode asciiBytes} was given, if it was ASCII. */
export function asciiText(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
