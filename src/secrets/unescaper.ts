/** How text may spell a character otherwise: `%41`, or `\u0041` in JSON. */
export type Spelling = "percent" | "json";

const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const SMALL_U = 0x75;

/** Undoes escapes of ASCII characters in bytes that come in pieces of any size. */
export class Unescaper {
  readonly #mark: number;
  /** An escape that has not come whole. */
  #pending: number[] = [];

  constructor(spelling: Spelling) {
    this.#mark = spelling === "percent" ? PERCENT : BACKSLASH;
  }

  /**
   * What `piece` says, with what was held back of the one before. An escape that is none, or of
   * a character that is no ASCII, stays or becomes something that no ASCII text can be in.
   */
  push(piece: Uint8Array): Uint8Array {
    if (this.#pending.length === 0 && !piece.includes(this.#mark)) return piece;
    const out = new Uint8Array(this.#pending.length + piece.length);
    let size = 0;
    for (let at = 0; at < piece.length;) {
      if (this.#pending.length > 0) {
        const byte = piece[at]!;
        const said = this.#escape(byte);
        if (said === undefined) at++;
        else if (typeof said === "number") {
          out[size++] = said;
          this.#pending = [];
          at++;
        } else {
          for (const spelt of this.#pending) out[size++] = spelt;
          this.#pending = [];
          // The character after a backslash is taken by it; any other begins something new.
          if (said === "with this") {
            out[size++] = byte;
            at++;
          }
        }
        continue;
      }
      const mark = this.#nextEscape(piece, at);
      const end = mark < 0 ? piece.length : mark;
      out.set(piece.subarray(at, end), size);
      size += end - at;
      at = end;
      if (mark >= 0) {
        this.#pending.push(this.#mark);
        at++;
      }
    }
    return out.subarray(0, size);
  }

  /** Where an escape begins that may stand for another character; in JSON few do. */
  #nextEscape(piece: Uint8Array, from: number): number {
    let mark = piece.indexOf(this.#mark, from);
    if (this.#mark !== BACKSLASH) return mark;
    while (mark >= 0 && mark + 1 < piece.length && piece[mark + 1] !== SMALL_U) {
      mark = piece.indexOf(BACKSLASH, mark + 2);
    }
    return mark;
  }

  /** What the escape stands for with `byte`; `undefined` while more of it has to come. */
  #escape(byte: number): number | "with this" | "not this" | undefined {
    const isJson = this.#mark === BACKSLASH;
    const before = this.#pending.length;
    if (isJson && before === 1) {
      if (byte !== SMALL_U) return "with this";
      this.#pending.push(byte);
      return undefined;
    }
    if (!isHex(byte)) return "not this";
    const digits = isJson ? 4 : 2;
    const known = before - (isJson ? 2 : 1);
    if (known + 1 < digits) {
      this.#pending.push(byte);
      return undefined;
    }
    const hex = String.fromCharCode(...this.#pending.slice(isJson ? 2 : 1), byte);
    return Math.min(parseInt(hex, 16), 0xff);
  }
}

function isHex(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}
