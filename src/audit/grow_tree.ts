import type { LogFile } from "./log_file.ts";
import { type Hash, leafHash, sameHash } from "./merkle/hash.ts";
import type { TreeFile } from "./tree_file.ts";

/** Leaves that are added at once. */
const BATCH = 1_024;

/**
 * Adds the lines that were just written after line `before`. Where the tree lags behind, it stays
 * so until {@linkcode catchUp}.
 */
export function growTree(tree: TreeFile, before: number, leaves: readonly Hash[]): void {
  const known = tree.leaves();
  // The log was cut; the leaves beyond are of lines that are gone.
  if (known > before) tree.truncate(before);
  if (known >= before) tree.append(leaves);
}

/** Makes the tree that of the log as it is now, which has `lines` lines. Call with the log locked. */
export function catchUp(tree: TreeFile, log: LogFile, lines: number): void {
  let known = Math.min(tree.leaves(), lines);
  if (known > 0) {
    // The last leaf of both tells whether the tree is of this log at all.
    const [last] = log.lastLines(lines - known + 1);
    if (last === undefined || !sameHash(leafHash(last), tree.leaf(known - 1))) known = 0;
  }
  tree.truncate(known);
  let batch: Hash[] = [];
  for (const line of log.lastLines(lines - known)) {
    batch.push(leafHash(line));
    if (batch.length < BATCH) continue;
    tree.append(batch);
    batch = [];
  }
  tree.append(batch);
}
