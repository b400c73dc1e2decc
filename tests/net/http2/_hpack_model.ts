/** An encoder that uses all of HPACK, which the product's own does not: for tests of the decoder. */
import { Buffer } from "node:buffer";
import { HUFFMAN_CODE_LENGTHS, STATIC_TABLE } from "../../../src/net/http2/hpack_tables.ts";

/** How a field is written. */
export type Representation = "indexed" | "incremental" | "without" | "never";

/** The Huffman code of each symbol, as a text of bits (RFC 7541, appendix B: the code is canonical). */
export const HUFFMAN_CODES: readonly string[] = (() => {
  const codes: string[] = [];
  const symbols = HUFFMAN_CODE_LENGTHS.map((length, symbol) => ({ length, symbol }))
    .sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0n;
  let before = 0;
  for (const { length, symbol } of symbols) {
    code <<= BigInt(length - before);
    before = length;
    codes[symbol] = code.toString(2).padStart(length, "0");
    code++;
  }
  return codes;
})();

/** Bytes from a text of bits, which must be whole bytes. */
export function bytesOfBits(bits: string): Buffer {
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}

/** A text, Huffman-coded. */
export function huffman(text: string): Buffer {
  const bits = [...Buffer.from(text, "latin1")].map((byte) => HUFFMAN_CODES[byte]!).join("");
  return bytesOfBits(bits.padEnd(Math.ceil(bits.length / 8) * 8, "1"));
}

/** An integer with a prefix (RFC 7541, 5.1). */
export function integer(first: number, prefixBits: number, value: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([first | value]);
  const bytes = [first | most];
  for (value -= most; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return Buffer.from([...bytes, value]);
}

/** A string literal (RFC 7541, 5.2). */
export function text(value: string, coded: boolean): Buffer {
  const bytes = coded ? huffman(value) : Buffer.from(value, "latin1");
  return Buffer.concat([integer(coded ? 0x80 : 0, 7, bytes.length), bytes]);
}

/** Encodes with a dynamic table, as it is told. */
export class HpackModel {
  /** Newest first. */
  readonly table: [string, string][] = [];
  #limit = 4_096;

  resize(limit: number): Buffer {
    this.#limit = limit;
    this.#evict();
    return integer(0x20, 5, limit);
  }

  /** Falls back to a literal where the field is in no table. */
  field(name: string, value: string, how: Representation, coded: boolean): Buffer {
    const all = [...STATIC_TABLE, ...this.table];
    const exact = all.findIndex((entry) => entry[0] === name && entry[1] === value) + 1;
    if (how === "indexed" && exact > 0) return integer(0x80, 7, exact);
    const named = all.findIndex((entry) => entry[0] === name) + 1;
    const [first, bits] = how === "incremental" ? [0x40, 6] : how === "never" ? [0x10, 4] : [0, 4];
    const literalName = named === 0 ? [text(name, coded)] : [];
    if (how === "incremental") {
      this.table.unshift([name, value]);
      this.#evict();
    }
    return Buffer.concat([integer(first!, bits!, named), ...literalName, text(value, coded)]);
  }

  #evict(): void {
    const size = () =>
      this.table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > this.#limit) this.table.pop();
  }
}
