/** The hashes of a Merkle tree (RFC 6962, 2.1), with SHA-256. */
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";

/** Bytes of a hash. */
export const HASH_BYTES = 32;

/** 32 bytes. */
export type Hash = Uint8Array;

const LEAF = Buffer.of(0x00);
const NODE = Buffer.of(0x01);

/** The root of a tree without leaves. */
export const EMPTY_ROOT: Hash = hash("sha256", new Uint8Array(), "buffer");

/** The hash of a leaf; set apart from nodes, so that none can be passed off as the other. */
export function leafHash(entry: Uint8Array): Hash {
  return hash("sha256", Buffer.concat([LEAF, entry]), "buffer");
}

/** The hash of the node above `left` and `right`. */
export function nodeHash(left: Hash, right: Hash): Hash {
  return hash("sha256", Buffer.concat([NODE, left, right]), "buffer");
}

/** Tells whether two hashes are the same. */
export function sameHash(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
