/** The hashes of a Merkle tree (RFC 6962, 2.1), with SHA-256. */
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";

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
  const bytes = Buffer.allocUnsafe(entry.length + 1);
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
  const hashed = hash("sha256", bytes.subarray(start - 1, end), "hex");
  bytes[start - 1] = before;
  return hashed;
}

const pair = Buffer.alloc(1 + 2 * HASH_BYTES, NODE);

/** The hash of the node above `left` and `right`. */
export function nodeHash(left: Hash, right: Hash): Hash {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** By way of text, which takes half as long as having bytes made. */
function sha256(bytes: Uint8Array): Hash {
  return Uint8Array.fromHex(hash("sha256", bytes, "hex"));
}

/** Tells whether two hashes are the same. */
export function sameHash(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
