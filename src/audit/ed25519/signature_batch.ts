import { hash } from "node:crypto";
import type { Address, Arithmetic } from "./arithmetic.ts";
import { L } from "./curve.ts";
import { ELEMENT_BYTES } from "./field_code.ts";
import { INVERSION_ELEMENTS, invertAll } from "./inversion.ts";
import { ENCODING_WORDS, isEncodedAs } from "./point_encoding.ts";
import { type PointTable, SCALAR_ROOM } from "./point_table.ts";

const ENCODING_BYTES = 32;
const SIGNATURE_BYTES = 64;
const Z = 2;

/** How many signatures share an inversion, which takes as long as three or four of them. */
const CAPACITY = 256;

/** What batches work with, one at a time. */
export interface BatchTools {
  readonly arithmetic: Arithmetic;
  /** Multiples of the base point. */
  readonly base: PointTable;
  /** So many points, {@linkcode POINTS_ELEMENTS} in all. */
  readonly points: Address;
}

/** Elements that a batch keeps points in. */
export const POINTS_ELEMENTS = 3 * CAPACITY + INVERSION_ELEMENTS;

const scalar = new Uint8Array(SCALAR_ROOM);
const scalarWords = new DataView(scalar.buffer);
const digest = new Uint8Array(64);
const digestWords = new DataView(digest.buffer);
const encodings = new Uint32Array(ENCODING_WORDS * CAPACITY);
const encodingBytes = new Uint8Array(encodings.buffer);
/** R, A and the message; the last one may need more. */
let hashed = new Uint8Array(SIGNATURE_BYTES + 8_192);

/**
 * Ed25519 signatures of one key that are checked together (RFC 8032, 5.1.7, without the cofactor, as
 * `node:crypto` does here): S is below L, and [S]B - [k]A is encoded as R, byte for byte.
 *
 * A yes means that this arithmetic arrived at the very 32 bytes that stand in the signature: a
 * mistake in it would have to hit upon them. A no means nothing: whoever asks has to ask another
 * implementation then, and believe that. So mistakes cost time, and no more.
 *
 * How long it takes depends on what it computes with. That tells nobody anything: it only ever
 * verifies, and keys, signatures and lines of a log are no secrets. Nothing is to be signed with it.
 */
export class SignatureBatch {
  readonly #tools: BatchTools;
  /** Multiples of the key's negative. */
  readonly #negative: PointTable;
  readonly #publicKey: Uint8Array;
  #count = 0;
  #isAccepted = true;

  constructor(tools: BatchTools, negative: PointTable, publicKey: Uint8Array) {
    this.#tools = tools;
    this.#negative = negative;
    this.#publicKey = publicKey;
  }

  /** Takes a signature of a message into the batch; `false`: it is not accepted. */
  add(message: Uint8Array, signature: Uint8Array): boolean {
    // An S from 2^252 to L, which nobody will ever meet, is left to others.
    if (signature.length !== SIGNATURE_BYTES || signature[63]! >= 0x10) return false;
    if (this.#count === CAPACITY) this.#checkPoints();
    const { arithmetic, base, points } = this.#tools;
    const sum = points + this.#count * ELEMENT_BYTES;
    arithmetic.setNeutral(sum);
    const r = signature.subarray(0, ENCODING_BYTES);
    encodingBytes.set(r, 4 * ENCODING_WORDS * this.#count);
    scalar.set(signature.subarray(ENCODING_BYTES));
    base.addMultiple(sum, scalar);
    this.#hash(message, r);
    this.#negative.addMultiple(sum, scalar);
    this.#count++;
    return true;
  }

  /** Whether all were accepted that were added since this was asked last. */
  settle(): boolean {
    this.#checkPoints();
    const isAccepted = this.#isAccepted;
    this.#isAccepted = true;
    return isAccepted;
  }

  /** Writes k = SHA-512(R, A, message) modulo L as the scalar. */
  #hash(message: Uint8Array, r: Uint8Array): void {
    const length = SIGNATURE_BYTES + message.length;
    if (length > hashed.length) hashed = new Uint8Array(2 * length);
    hashed.set(r);
    hashed.set(this.#publicKey, ENCODING_BYTES);
    hashed.set(message, SIGNATURE_BYTES);
    // By way of text, which takes half as long as having bytes made.
    digest.setFromHex(hash("sha512", hashed.subarray(0, length), "hex"));
    let number = 0n;
    for (let at = 56; at >= 0; at -= 8) number = number << 64n | digestWords.getBigUint64(at, true);
    number %= L;
    for (let at = 0; at < 32; at += 8, number >>= 64n) scalarWords.setBigUint64(at, number, true);
  }

  #checkPoints(): void {
    const { arithmetic, points } = this.#tools;
    const count = this.#count;
    this.#count = 0;
    if (count === 0) return;
    const inverses = points + CAPACITY * ELEMENT_BYTES;
    for (let index = 0; index < count; index++) {
      const at = index * ELEMENT_BYTES;
      arithmetic.spread(inverses + at, points + at, Z);
    }
    invertAll(arithmetic, inverses, count, points + 2 * CAPACITY * ELEMENT_BYTES);
    for (let index = 0; index < count; index++) {
      const point = points + index * ELEMENT_BYTES;
      arithmetic.multiply(point, point, inverses + index * ELEMENT_BYTES);
      arithmetic.reduce(point, point);
      const encoding = ENCODING_WORDS * index;
      this.#isAccepted &&= isEncodedAs(arithmetic.words, point, encodings, encoding);
    }
  }
}
