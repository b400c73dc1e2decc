/**
 * Where the hashes of a tree lie that only grows. With each leaf, the hashes of the nodes that it
 * completes follow its own, lowest first: nothing that was written ever changes, and any root or
 * proof needs a few of them.
 */
import { EMPTY_ROOT, type Hash, nodeHash } from "./hash.ts";

/** Reads the hash at a position, from 0. */
export type ReadHash = (position: number) => Hash;

/** How many hashes a tree with `leaves` leaves has stored. */
export function storedHashes(leaves: number): number {
  let count = 0;
  for (let nodes = leaves; nodes > 0; nodes = Math.floor(nodes / 2)) count += nodes;
  return count;
}

/** How many leaves a tree has, of which at least `stored` hashes are there, and all of its last leaf. */
export function wholeLeaves(stored: number): number {
  // Each leaf brings one hash or more and, in all, fewer than two.
  let leaves = Math.floor(stored / 2);
  while (storedHashes(leaves + 1) <= stored) leaves++;
  return leaves;
}

/** The full trees that the first `leaves` leaves are made of, from the left: their sizes and roots. */
export function peakPositions(
  leaves: number,
): { readonly leaves: number; readonly position: number }[] {
  const peaks: { leaves: number; position: number }[] = [];
  for (let start = 0; start < leaves;) {
    const level = Math.floor(Math.log2(leaves - start));
    const size = 2 ** level;
    peaks.push({ leaves: size, position: positionOf(level, start / size) });
    start += size;
  }
  return peaks;
}

/** Where the hash of a leaf lies. */
export function leafPosition(index: number): number {
  return positionOf(0, index);
}

/** The root of the first `leaves` leaves. */
export function rootOf(leaves: number, read: ReadHash): Hash {
  return leaves === 0 ? EMPTY_ROOT : rangeHash(0, leaves, read);
}

/** Proves that leaf `index` is in the tree of the first `leaves` leaves (RFC 6962, 2.1.1). */
export function inclusionPath(index: number, leaves: number, read: ReadHash): Hash[] {
  const path = (start: number, end: number): Hash[] => {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    return index < middle
      ? [...path(start, middle), rangeHash(middle, end, read)]
      : [...path(middle, end), rangeHash(start, middle, read)];
  };
  return path(0, leaves);
}

/** Proves that the tree of the first `oldLeaves` leaves is the beginning (RFC 6962, 2.1.2). */
export function consistencyPath(oldLeaves: number, leaves: number, read: ReadHash): Hash[] {
  const path = (start: number, end: number, isOldRoot: boolean): Hash[] => {
    if (oldLeaves === end) return isOldRoot ? [] : [rangeHash(start, end, read)];
    const middle = start + splitOf(end - start);
    return oldLeaves <= middle
      ? [...path(start, middle, isOldRoot), rangeHash(middle, end, read)]
      : [...path(middle, end, false), rangeHash(start, middle, read)];
  };
  return oldLeaves === 0 || oldLeaves === leaves ? [] : path(0, leaves, true);
}

/** The hash over the leaves from `start` to `end`, of which the tree has a node or several. */
function rangeHash(start: number, end: number, read: ReadHash): Hash {
  const size = end - start;
  const level = Math.log2(size);
  if (Number.isInteger(level)) return read(positionOf(level, start / size));
  const middle = start + splitOf(size);
  return nodeHash(rangeHash(start, middle, read), rangeHash(middle, end, read));
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1);
}

/** Where the hash of node `index` of a level lies; leaves are level 0. */
function positionOf(level: number, index: number): number {
  const lastLeaf = (index + 1) * 2 ** level - 1;
  return storedHashes(lastLeaf) + level;
}
