import { nodeModule } from "../core/node_module.ts";
import type { LineSignatures } from "./line_signatures.ts";
import { decodeSignature, SIGNATURE_CHARACTERS } from "./signature_text.ts";

const ZERO = 0x30;
const NINE = 0x39;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSING = 0x7d;
/** More digits than any number of a line has. */
const SEQ_DIGITS = 15;

const KEY_EVENT = '"kind":"key"';
const PREV = ',"prev":"';
const PREV_CHARACTERS = 64;
const SEQ = ',"seq":';
const SESSION = ',"session_id":"';
const SIGNATURE = ',"signature":"';
const NEXT = '","';

/**
 * Checks the signatures of lines without parsing them. Only the canonical form is ever signed, so
 * that bytes that fit a signature are in it, once the signature itself was in its place; and there,
 * `"` within a string has a backslash before it, so that what looks like a member is one. The last
 * `seq` is the line's own, because nothing nested comes after it in that form.
 */
export class QuickLines {
  /** `seq` of the line that was {@linkcode read} last. */
  seq = 0;
  readonly #bytes: Uint8Array;
  /** A character for each byte: looking through a string is many times as fast. */
  readonly #text: string;
  readonly #signatures: LineSignatures;
  /** Of the line that was read last, where the hash of the line before it stands. */
  #prevAt = 0;
  #keyEventAt = -1;

  constructor(bytes: Uint8Array, signatures: LineSignatures) {
    this.#bytes = bytes;
    const { Buffer } = nodeModule("node:buffer");
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    this.#signatures = signatures;
  }

  /** Where the line that begins at `start` ends: at its newline, or -1 without one. */
  endOf(start: number): number {
    return this.#text.indexOf("\n", start);
  }

  /** Whether the line that was read last names this hash as that of the line before it. */
  follows(hash: string): boolean {
    return this.#text.startsWith(hash, this.#prevAt);
  }

  /** The hash of the line before it that the line that was read last names. */
  get prev(): string {
    return this.#text.slice(this.#prevAt, this.#prevAt + PREV_CHARACTERS);
  }

  /**
   * Whether the line between two places, which is of no `key` event, is signed.
   * `false`: look closer.
   */
  read(start: number, end: number): boolean {
    if (this.#isKeyEvent(start, end)) return false;
    const text = this.#text;
    const seqAt = text.lastIndexOf(SEQ, end);
    if (seqAt <= start) return false;
    const at = this.#readSeq(seqAt + SEQ.length);
    const prevAt = text.lastIndexOf(PREV, seqAt) + PREV.length;
    if (at < 0 || prevAt < start + PREV.length || !this.#isHash(prevAt)) return false;
    const signatureAt = at + SIGNATURE.length;
    const signatureEnd = signatureAt + SIGNATURE_CHARACTERS;
    if (signatureEnd >= end || !text.startsWith(SIGNATURE, at)) return false;
    if (!this.#endsInOrder(signatureEnd, end)) return false;
    const signature = decodeSignature(this.#bytes, signatureAt);
    if (signature === undefined) return false;
    this.#prevAt = prevAt;
    return this.#signatures.accept(this.#without(start, at, signatureEnd + 1, end), signature);
  }

  #isKeyEvent(start: number, end: number): boolean {
    if (this.#keyEventAt < start) {
      const at = this.#text.indexOf(KEY_EVENT, start);
      this.#keyEventAt = at < 0 ? Infinity : at;
    }
    return this.#keyEventAt < end;
  }

  /** Reads the number at a place and the session after it; returns where that ends, or -1. */
  #readSeq(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    let seq = 0;
    for (let digit = bytes[at]!; digit >= ZERO && digit <= NINE; digit = bytes[++at]!) {
      seq = 10 * seq + digit - ZERO;
    }
    if (at === from || at - from > SEQ_DIGITS || bytes[from] === ZERO) return -1;
    if (!this.#text.startsWith(SESSION, at)) return -1;
    at += SESSION.length;
    while (bytes[at] !== QUOTE) {
      if (at >= bytes.length || bytes[at] === BACKSLASH) return -1;
      at++;
    }
    this.seq = seq;
    return at + 1;
  }

  /** Whether 64 digits in hex stand there, and the end of a string. */
  #isHash(at: number): boolean {
    const bytes = this.#bytes;
    for (let i = at; i < at + PREV_CHARACTERS; i++) {
      const byte = bytes[i]!;
      if (!((byte >= ZERO && byte <= NINE) || (byte >= 0x61 && byte <= 0x66))) return false;
    }
    return this.#text.startsWith(NEXT, at + PREV_CHARACTERS);
  }

  /** Whether behind the signature, which ends there, stands what belongs behind it. */
  #endsInOrder(at: number, end: number): boolean {
    if (at + 2 === end) return this.#bytes[at] === QUOTE && this.#bytes[at + 1] === CLOSING;
    if (!this.#text.startsWith(NEXT, at)) return false;
    // Names of members are of plain letters, so that they compare as their bytes do.
    const name = this.#text.slice(at + NEXT.length, this.#text.indexOf('"', at + NEXT.length));
    return name > "signature" && /^[a-z_]+$/.test(name);
  }

  /** What stands before `from` and what stands behind `to`; good until the next call. */
  #without(start: number, from: number, to: number, end: number): Uint8Array {
    const length = end - start - (to - from);
    if (length > room.length) room = new Uint8Array(2 * length);
    room.set(this.#bytes.subarray(start, from));
    room.set(this.#bytes.subarray(to, end), from - start);
    return room.subarray(0, length);
  }
}

let room = new Uint8Array(65_536);
