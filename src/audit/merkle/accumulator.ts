import { EMPTY_ROOT, type Hash, nodeHash } from "./hash.ts";
import { peakPositions, type ReadHash } from "./stored.ts";

/** What it takes to add leaves to a tree and to know its root: a few hashes, however large it is. */
export class Accumulator {
  /** The roots of the full trees that the leaves make, from the left: one for each binary one. */
  readonly #peaks: Hash[] = [];
  #leaves = 0;

  /** Goes on with the first `leaves` leaves of a tree that is stored. */
  static restore(leaves: number, read: ReadHash): Accumulator {
    const accumulator = new Accumulator();
    for (const { position } of peakPositions(leaves)) accumulator.#peaks.push(read(position));
    accumulator.#leaves = leaves;
    return accumulator;
  }

  /** Goes on with a tree of `leaves` leaves of which only the full trees are known, from the left. */
  static resume(leaves: number, peaks: readonly Hash[]): Accumulator {
    const accumulator = new Accumulator();
    accumulator.#peaks.push(...peaks);
    accumulator.#leaves = leaves;
    return accumulator;
  }

  /** The roots of the full trees that the leaves make, from the left. */
  peaks(): Hash[] {
    return [...this.#peaks];
  }

  /** How many leaves there are. */
  get leaves(): number {
    return this.#leaves;
  }

  /** Adds a leaf. Returns its hash and those of the nodes that it completes, lowest first. */
  append(leaf: Hash): Hash[] {
    const stored = [leaf];
    let added = leaf;
    // Two trees of one size make one of twice that, as adding one carries in binary.
    for (let rest = this.#leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
      added = nodeHash(this.#peaks.pop()!, added);
      stored.push(added);
    }
    this.#peaks.push(added);
    this.#leaves++;
    return stored;
  }

  /** The root of the tree. */
  root(): Hash {
    return this.#peaks.length === 0
      ? EMPTY_ROOT
      : this.#peaks.reduceRight((right, left) => nodeHash(left, right));
  }
}
