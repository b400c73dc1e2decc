import type { KeyEvent } from "../core/event.ts";
import { EMPTY_ROOT, type Hash, HASH_BYTES, nodeHash } from "./merkle/hash.ts";
import { peakPositions } from "./merkle/stored.ts";

/** What came before the first line of a file: all that the chain and the tree need to go on. */
export interface Base {
  /** `seq` of the last line before; 0 at the beginning of a log. */
  readonly seq: number;
  /** The roots of the full trees that the lines before make, from the left. */
  readonly peaks: readonly Hash[];
}

/** The beginning of a log. */
export const NOTHING_BEFORE: Base = { seq: 0, peaks: [] };

/**
 * What the first line of a file says about the lines before it; `undefined` where it says nothing,
 * as the first line of a log does, or nothing that could be.
 */
export function baseOf(members: Readonly<Record<string, unknown>>): Base | undefined {
  const { kind, change, seq, last_seq, tree } = members as Partial<KeyEvent & { seq: number }>;
  if (kind !== "key" || change !== "rotated" || seq === undefined) return undefined;
  if (last_seq !== seq - 1 || last_seq < 1 || !Array.isArray(tree)) return undefined;
  if (tree.length !== peakPositions(last_seq).length) return undefined;
  const peaks: Hash[] = [];
  for (const text of tree) {
    try {
      peaks.push(Uint8Array.fromBase64(text, { lastChunkHandling: "strict" }));
    } catch {
      return undefined;
    }
  }
  if (peaks.some(({ length }) => length !== HASH_BYTES)) return undefined;
  return { seq: last_seq, peaks };
}

/** The root of the tree over all lines before. */
export function baseRoot({ peaks }: Base): Hash {
  return peaks.length === 0
    ? EMPTY_ROOT
    : peaks.reduceRight((right, left) => nodeHash(left, right));
}
