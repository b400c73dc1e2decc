/** What somebody checks who has a tree's root and not the tree. */
import { EMPTY_ROOT, type Hash, HASH_BYTES, nodeHash, sameHash } from "./hash.ts";

/** Halves a number, whatever its size: shifts would cut it to 32 bits. */
const half = (number: number) => Math.floor(number / 2);

/**
 * Tells whether `path` proves that the leaf with hash `leaf` is number `index`, from 0, of the tree
 * with `size` leaves and this root (RFC 9162, 2.1.3.2).
 */
export function verifyInclusion(
  leaf: Hash,
  index: number,
  size: number,
  path: readonly Hash[],
  root: Hash,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...path])) {
    return false;
  }
  let result = leaf;
  const arrives = climb(index, size - 1, path, (sibling, isLeft) => {
    result = isLeft ? nodeHash(sibling, result) : nodeHash(result, sibling);
  });
  return arrives && sameHash(result, root);
}

/**
 * Tells whether `path` proves that the tree with `size` leaves and root `root` begins with all
 * leaves of the one with `oldSize` and `oldRoot` (RFC 9162, 2.1.4.2). A tree without leaves is the
 * beginning of any other, and needs no proof.
 */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Hash,
  size: number,
  root: Hash,
  path: readonly Hash[],
): boolean {
  if (!isCount(oldSize) || !isCount(size) || oldSize > size) return false;
  if (!areHashes([oldRoot, root, ...path])) return false;
  if (oldSize === 0) {
    return path.length === 0 && sameHash(oldRoot, EMPTY_ROOT) &&
      (size !== 0 || sameHash(root, EMPTY_ROOT));
  }
  if (oldSize === size) return path.length === 0 && sameHash(oldRoot, root);
  if (path.length === 0) return false;
  // A tree that is full is a node of the larger one, and its root is known.
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path;
  let node = oldSize - 1;
  let last = size - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  let oldResult = first!;
  let result = first!;
  const arrives = climb(node, last, rest, (sibling, isLeft) => {
    // What is on the right came after the old tree.
    if (isLeft) oldResult = nodeHash(sibling, oldResult);
    result = isLeft ? nodeHash(sibling, result) : nodeHash(result, sibling);
  });
  return arrives && sameHash(oldResult, oldRoot) && sameHash(result, root);
}

/**
 * Follows a path from node `node` of a level whose last node is `last`, and tells of each sibling on
 * which side it is. Returns whether the path ends at the root.
 */
function climb(
  node: number,
  last: number,
  path: readonly Hash[],
  step: (sibling: Hash, isLeft: boolean) => void,
): boolean {
  for (const sibling of path) {
    if (last === 0) return false;
    const isLeft = node % 2 === 1 || node === last;
    step(sibling, isLeft);
    // A last node without a sibling moves up as it is.
    while (isLeft && node % 2 === 0 && node !== 0) {
      node = half(node);
      last = half(last);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every(({ length }) => length === HASH_BYTES);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
