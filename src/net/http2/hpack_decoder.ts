import type { Buffer } from "node:buffer";
import { STATIC_TABLE } from "./hpack_tables.ts";
import { decodeHuffman } from "./huffman.ts";

/** The peer's header block cannot be decoded: the compression state of the connection is lost. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
}

/** What decoding a header block gave. */
export interface DecodedBlock {
  /** The fields in order; cut off when `tooLarge`. */
  readonly fields: [string, string][];
  /** The list is larger than it may be (RFC 9113, 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE). */
  readonly tooLarge: boolean;
}

const ENTRY_OVERHEAD = 32;

/** Decodes header blocks (RFC 7541). One for each connection: blocks build upon each other. */
export class HpackDecoder {
  /** Newest entry first. */
  readonly #table: [string, string][] = [];
  #tableSize = 0;
  #tableLimit: number;
  readonly #allowedTableLimit: number;
  readonly #listLimit: number;
  #block!: Buffer;
  #at = 0;

  /** `tableLimit` is what SETTINGS_HEADER_TABLE_SIZE allows the peer, `listLimit` bounds a list. */
  constructor(tableLimit: number, listLimit: number) {
    this.#tableLimit = this.#allowedTableLimit = tableLimit;
    this.#listLimit = listLimit;
  }

  /** Decodes a whole block. Throws {@linkcode CompressionError}. */
  decode(block: Buffer): DecodedBlock {
    this.#block = block;
    this.#at = 0;
    const fields: [string, string][] = [];
    let size = 0;
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      const resizing = (first & 0xe0) === 0x20;
      if (resizing) {
        if (size > 0) throw new CompressionError("table size changes within a block");
        this.#resize(this.#integer(5));
        continue;
      }
      const field = this.#field(first);
      size += field[0].length + field[1].length + ENTRY_OVERHEAD;
      // The rest is decoded all the same, for its effect on the table.
      if (size <= this.#listLimit) fields.push(field);
    }
    return { fields, tooLarge: size > this.#listLimit };
  }

  #field(first: number): [string, string] {
    if ((first & 0x80) !== 0) return this.#entry(this.#integer(7));
    const indexed = (first & 0xc0) === 0x40;
    const index = this.#integer(indexed ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    const field: [string, string] = [name, this.#string()];
    if (indexed) this.#add(field);
    return field;
  }

  #entry(index: number): [string, string] {
    const entry = index <= STATIC_TABLE.length
      ? STATIC_TABLE[index - 1]
      : this.#table[index - STATIC_TABLE.length - 1];
    if (entry === undefined) throw new CompressionError("index beyond the table");
    return [entry[0], entry[1]];
  }

  #add(field: [string, string]): void {
    this.#table.unshift(field);
    this.#tableSize += field[0].length + field[1].length + ENTRY_OVERHEAD;
    this.#evict();
  }

  #resize(limit: number): void {
    if (limit > this.#allowedTableLimit) throw new CompressionError("table larger than allowed");
    this.#tableLimit = limit;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableSize > this.#tableLimit) {
      const [name, value] = this.#table.pop()!;
      this.#tableSize -= name.length + value.length + ENTRY_OVERHEAD;
    }
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw new CompressionError("block is cut short");
    return byte;
  }

  #integer(prefixBits: number): number {
    const most = (1 << prefixBits) - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let shift = 0;; shift += 7) {
      if (shift > 21) throw new CompressionError("integer is too large");
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  }

  #string(): string {
    const huffman = (this.#block[this.#at] ?? 0) & 0x80;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new CompressionError("block is cut short");
    const text = huffman === 0
      ? this.#block.toString("latin1", this.#at, end)
      : decodeHuffman(this.#block.subarray(this.#at, end));
    if (text === undefined) throw new CompressionError("Huffman code is malformed");
    this.#at = end;
    return text;
  }
}
