import { EMPTY_ROOT, type Hash, nodeHash } from "./hash.ts";
import { peakPositions, type ReadHash } from "./stored.ts";

/** A full tree at the right edge of a larger one. */
interface Peak {
  readonly leaves: number;
  readonly hash: Hash;
}

/** What it takes to add leaves to a tree and to know its root: a few hashes, however large it is. */
export class Accumulator {
  readonly #peaks: Peak[] = [];
  #leaves = 0;

  /** Goes on with the first `leaves` leaves of a tree that is stored. */
  static restore(leaves: number, read: ReadHash): Accumulator {
    const accumulator = new Accumulator();
    for (const { leaves: size, position } of peakPositions(leaves)) {
      accumulator.#peaks.push({ leaves: size, hash: read(position) });
    }
    accumulator.#leaves = leaves;
    return accumulator;
  }

  /** Goes on with a tree of `leaves` leaves of which only the full trees are known, from the left. */
  static resume(leaves: number, peaks: readonly Hash[]): Accumulator {
    const accumulator = new Accumulator();
    peakPositions(leaves).forEach(({ leaves: size }, index) => {
      accumulator.#peaks.push({ leaves: size, hash: peaks[index]! });
    });
    accumulator.#leaves = leaves;
    return accumulator;
  }

  /** The roots of the full trees that the leaves make, from the left. */
  peaks(): Hash[] {
    return this.#peaks.map(({ hash }) => hash);
  }

  /** How many leaves there are. */
  get leaves(): number {
    return this.#leaves;
  }

  /** Adds a leaf. Returns its hash and those of the nodes that it completes, lowest first. */
  append(leaf: Hash): Hash[] {
    const stored = [leaf];
    let added: Peak = { leaves: 1, hash: leaf };
    while (this.#peaks.at(-1)?.leaves === added.leaves) {
      const { leaves, hash } = this.#peaks.pop()!;
      added = { leaves: 2 * leaves, hash: nodeHash(hash, added.hash) };
      stored.push(added.hash);
    }
    this.#peaks.push(added);
    this.#leaves++;
    return stored;
  }

  /** The root of the tree. */
  root(): Hash {
    const hashes = this.#peaks.map(({ hash }) => hash);
    return hashes.length === 0
      ? EMPTY_ROOT
      : hashes.reduceRight((right, left) => nodeHash(left, right));
  }
}
