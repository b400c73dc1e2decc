/** The hashes of a Merkle tree (RFC 6962, 2.1), with SHA-256. */
import { hashHex } from "../../core/hash_hex.ts";
import { compress, INITIAL } from "../../core/sha256.ts";

/** Bytes of a hash. */
export const HASH_BYTES = 32;

/** 32 bytes. */
export type Hash = Uint8Array;

const LEAF = 0x00;
const NODE = 0x01;

/** The root of a tree without leaves. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array());

/** The hash of a leaf; set apart from nodes, so that none can be passed off as the other. */
export function leafHash(entry: Uint8Array): Hash {
  const bytes = new Uint8Array(entry.length + 1);
  bytes[0] = LEAF;
  bytes.set(entry, 1);
  return sha256(bytes);
}

/**
 * The hash of the leaf that lies between two places of `bytes`, without a copy: the byte before it,
 * which is lent for that, is as it was afterwards.
 */
export function leafHashWithin(bytes: Uint8Array, start: number, end: number): Hash {
  return Uint8Array.fromHex(leafHexWithin(bytes, start, end));
}

/** The same in hex. */
export function leafHexWithin(bytes: Uint8Array, start: number, end: number): string {
  if (start === 0) return leafHash(bytes.subarray(start, end)).toHex();
  const before = bytes[start - 1]!;
  bytes[start - 1] = LEAF;
  const hashed = hashHex(bytes.subarray(start - 1, end));
  bytes[start - 1] = before;
  return hashed;
}

/** Two blocks of SHA-256: 1 + 32 + 32 bytes, a one bit, and their length in bits at the end. */
const blocks = new Uint8Array(128);
blocks[0] = NODE;
blocks[1 + 2 * HASH_BYTES] = 0x80;
new DataView(blocks.buffer).setUint16(blocks.length - 2, 8 * (1 + 2 * HASH_BYTES));
const state = new Int32Array(HASH_BYTES / 4);

/**
 * The hash of the node above `left` and `right`. By firma's own code, because Node's takes longer to
 * be asked than this little takes.
 */
export function nodeHash(left: Hash, right: Hash): Hash {
  blocks.set(left, 1);
  blocks.set(right, 1 + HASH_BYTES);
  state.set(INITIAL);
  compress(state, blocks, 0);
  compress(state, blocks, 64);
  const hash = new Uint8Array(HASH_BYTES);
  for (let i = 0; i < HASH_BYTES; i++) hash[i] = state[i >> 2]! >>> 24 - 8 * (i & 3);
  return hash;
}

/** By way of text, which takes half as long as having bytes made. */
function sha256(bytes: Uint8Array): Hash {
  return Uint8Array.fromHex(hashHex(bytes));
}

/** Tells whether two hashes are the same. */
export function sameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
