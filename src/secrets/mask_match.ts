import { beginsEscape, EscapeReading } from "./mask_escapes.ts";
import type { MaskTable } from "./mask_table.ts";

/** Steps that one comparison may take, before whoever made such a secret necessary is refused. */
const MOST_STEPS = 1 << 20;
const MOST_AMBIGUITIES = 128;

/** An answer could not be searched for secrets, so that nothing of it may pass. */
export class MaskFailure extends Error {
  override readonly name = "MaskFailure";
}

/** Compares bytes from one place on with all texts of a table at once. */
export class MaskMatcher {
  /** Where the longest text that was found ends, or -1. */
  end = -1;
  /** Its index in the table. */
  text = -1;
  /** The byte at its end that it shares with what follows, or -1. */
  tail = -1;
  /** More bytes could make another one of it, or a longer one. */
  more = false;
  #table!: MaskTable;
  #bytes!: Uint8Array;
  #limit = 0;
  #final = false;
  #steps = 0;
  /** One for each depth of recursion. */
  readonly #readings: EscapeReading[] = [];
  #next = { low: 0, high: 0, depth: 0, at: 0 };

  /** Looks at `at`, in `bytes` as far as `limit`, after which nothing follows if `final`. */
  match(table: MaskTable, bytes: Uint8Array, at: number, limit: number, final: boolean): void {
    this.end = this.text = this.tail = -1;
    this.more = false;
    this.#table = table;
    this.#bytes = bytes;
    this.#limit = limit;
    this.#final = final;
    this.#steps = 0;
    this.#walk(0, table.count, 0, at, 0);
  }

  /** Goes on from `at` with the texts from `low` to `high`, which agree in their first `depth` bytes. */
  #walk(low: number, high: number, depth: number, at: number, level: number): void {
    const { length } = this.#table;
    const bytes = this.#bytes;
    for (;;) {
      if (++this.#steps > MOST_STEPS) {
        throw new MaskFailure("a secret is too ambiguous to be found");
      }
      for (; low < high && length[low] === depth; low++) this.#accept(low, at, level);
      if (low === high) return;
      if (at >= this.#limit) {
        this.more ||= !this.#final;
        return;
      }
      const byte = bytes[at]!;
      const from = this.#lower(low, high, depth, byte);
      const to = this.#lower(from, high, depth, byte + 1);
      if (!beginsEscape(byte)) {
        low = from;
        high = to;
        depth++;
        at++;
        continue;
      }
      // As it stands, and as what it may stand for. Only where both fit are both followed.
      if (from < to) this.#walk(from, to, depth + 1, at + 1, deeper(level));
      if (!this.#escapes(low, high, depth, at, level)) return;
      ({ low, high, depth, at } = this.#next);
    }
  }

  /** Follows all that an escape may mean but the last, which is left in `#next`; `false` if none fits. */
  #escapes(low: number, high: number, depth: number, at: number, level: number): boolean {
    const reading = this.#read(at, level);
    let fits = false;
    for (let i = 0; i < reading.codes.length; i++) {
      const code = reading.codes[i]!;
      const size = reading.asCodePoint[i] ? utf8(code) : single(code);
      let from = low;
      let to = high;
      let reached = depth;
      for (let byte = 0; byte < size && from < to; byte++, reached++) {
        // A text that ends within a character does not end with it.
        while (from < to && this.#table.length[from] === reached) from++;
        const start = this.#lower(from, to, reached, UTF8[byte]!);
        to = this.#lower(start, to, reached, UTF8[byte]! + 1);
        from = start;
      }
      if (from >= to) continue;
      const next = this.#next;
      if (fits) this.#walk(next.low, next.high, next.depth, next.at, deeper(level));
      next.low = from;
      next.high = to;
      next.depth = reached;
      next.at = reading.ends[i]!;
      fits = true;
    }
    return fits;
  }

  #read(at: number, level: number): EscapeReading {
    const reading = this.#readings[level] ??= new EscapeReading();
    reading.read(this.#bytes, at, this.#limit);
    if (reading.more && !this.#final) this.more = true;
    return reading;
  }

  /** The first text of a range whose byte at `depth` is not below `byte`. */
  #lower(low: number, high: number, depth: number, byte: number): number {
    const { bytes, offset, firstIndex } = this.#table;
    if (depth === 0) return firstIndex[Math.min(byte, 256)]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bytes[offset[middle]! + depth]! < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #accept(text: number, at: number, level: number): void {
    const { tails } = this.#table.forms[this.#table.formOf[text]!]!;
    if (tails === "") return this.#found(text, at, -1);
    if (at >= this.#limit) {
      this.more ||= !this.#final;
      return;
    }
    const byte = this.#bytes[at]!;
    if (tails.includes(String.fromCharCode(byte))) this.#found(text, at + 1, byte);
    if (!beginsEscape(byte)) return;
    const { codes, ends } = this.#read(at, level);
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!;
      if (code < 0x80 && tails.includes(String.fromCharCode(code))) {
        this.#found(text, ends[i]!, code);
      }
    }
  }

  #found(text: number, end: number, tail: number): void {
    if (end <= this.end) return;
    this.end = end;
    this.text = text;
    this.tail = tail;
  }
}

function deeper(level: number): number {
  if (level >= MOST_AMBIGUITIES) throw new MaskFailure("a secret is too ambiguous to be found");
  return level + 1;
}

const UTF8 = new Uint8Array(4);

function single(byte: number): number {
  UTF8[0] = byte;
  return 1;
}

/** Puts a code point into {@linkcode UTF8}; returns its size. */
function utf8(code: number): number {
  if (code < 0x80) return single(code);
  const size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (let at = size - 1; at > 0; at--) {
    UTF8[at] = 0x80 | (code & 0x3f);
    code >>= 6;
  }
  UTF8[0] = (0xf0 << (4 - size)) & 0xff | code;
  return size;
}
