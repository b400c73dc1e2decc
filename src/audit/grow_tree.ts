import { type Base, baseRoot } from "./base.ts";
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

/**
 * Makes the tree that of the log as it is now, whose last line is number `last`. Call with the log
 * locked.
 */
export function catchUp(tree: TreeFile, log: LogFile, last: number): void {
  const base = log.base();
  const known = Math.min(tree.leaves(), last);
  tree.truncate(known);
  if (!isTreeOf(tree, known, log, base, last)) return rebuild(tree, log, last);
  growFrom(tree, log, last - known);
}

/** Makes the tree anew, from what the file says about the lines before it and the lines in it. */
export function rebuild(tree: TreeFile, log: LogFile, last: number): void {
  const base = log.base();
  tree.restart(base);
  growFrom(tree, log, last - base.seq);
}

/** Whether the tree, which has no more leaves than the log, is of this log at all. */
function isTreeOf(tree: TreeFile, known: number, log: LogFile, base: Base, last: number): boolean {
  if (known < base.seq) return false;
  if (known === base.seq) return sameHash(tree.root(known), baseRoot(base));
  const [line] = log.lastLines(last - known + 1);
  return line !== undefined && sameHash(leafHash(line), tree.leaf(known - 1));
}

function growFrom(tree: TreeFile, log: LogFile, count: number): void {
  let batch: Hash[] = [];
  for (const line of log.lastLines(count)) {
    batch.push(leafHash(line));
    if (batch.length < BATCH) continue;
    tree.append(batch);
    batch = [];
  }
  tree.append(batch);
}
