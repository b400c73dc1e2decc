import { Accumulator } from "./merkle/accumulator.ts";
import { type Hash, HASH_BYTES } from "./merkle/hash.ts";
import { leafPosition, peakPositions, rootOf, storedHashes, wholeLeaves } from "./merkle/stored.ts";
import type { Base } from "./base.ts";
import { readRange } from "./tail.ts";
import { writeAll } from "./write_all.ts";

/** Where the tree of a log lies. */
export function treePath(logPath: string): string {
  return `${logPath}.tree`;
}

/**
 * The hashes of a log's Merkle tree, so that a checkpoint does not have to read the whole log. What
 * is in the file follows from the log and can be made anew; whoever verifies a log does not look at
 * it. Several processes share it under the lock of the log. Methods throw what the file system
 * throws.
 */
export class TreeFile {
  readonly #file: Deno.FsFile;
  #tree = new Accumulator();

  /** Opens the tree of the log at `logPath`; makes it (mode 0600) where it is missing. */
  constructor(logPath: string) {
    this.#file = Deno.openSync(treePath(logPath), {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
  }

  /** The hash at a position, for proofs about trees that are whole. */
  readonly hash = (position: number): Hash => this.#read(position);

  /** How many leaves there are now, whoever added them. */
  leaves(): number {
    const leaves = wholeLeaves(Math.floor(this.#file.statSync().size / HASH_BYTES));
    if (leaves !== this.#tree.leaves) this.#tree = Accumulator.restore(leaves, this.#read);
    return leaves;
  }

  /** The hash of leaf `index`, from 0. */
  leaf(index: number): Hash {
    return this.#read(leafPosition(index));
  }

  /** Adds leaves to those that {@linkcode leaves} has just counted. */
  append(leaves: readonly Hash[]): void {
    const start = storedHashes(this.#tree.leaves) * HASH_BYTES;
    const hashes = leaves.flatMap((leaf) => this.#tree.append(leaf));
    const bytes = new Uint8Array(hashes.length * HASH_BYTES);
    hashes.forEach((hash, index) => bytes.set(hash, index * HASH_BYTES));
    // What a process left behind that died here.
    this.#file.truncateSync(start);
    this.#file.seekSync(start, Deno.SeekMode.Start);
    writeAll(this.#file, bytes);
  }

  /** Forgets all leaves but the first `leaves`. */
  truncate(leaves: number): void {
    this.#file.truncateSync(storedHashes(leaves) * HASH_BYTES);
    this.#tree = Accumulator.restore(leaves, this.#read);
  }

  /**
   * Goes on from the lines before a file, of which only the full trees are known. Roots of fewer
   * leaves, and proofs for them, are not to be had then.
   */
  restart({ seq, peaks }: Base): void {
    this.#file.truncateSync(0);
    // What is not written reads as zeros, and takes no room on the disk.
    this.#file.truncateSync(storedHashes(seq) * HASH_BYTES);
    peakPositions(seq).forEach(({ position }, index) => {
      this.#file.seekSync(position * HASH_BYTES, Deno.SeekMode.Start);
      writeAll(this.#file, peaks[index]!);
    });
    this.#tree = Accumulator.resume(seq, peaks);
  }

  /** The roots of the full trees that all leaves make, from the left. */
  peaks(): Hash[] {
    return this.#tree.peaks();
  }

  /** The root of the first `leaves` leaves. */
  root(leaves: number): Hash {
    return leaves === this.#tree.leaves ? this.#tree.root() : rootOf(leaves, this.#read);
  }

  close(): void {
    this.#file.close();
  }

  #read = (position: number): Hash => {
    const start = position * HASH_BYTES;
    return readRange(this.#file, start, start + HASH_BYTES);
  };
}
