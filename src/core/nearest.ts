/**
 * Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`:
 * the optimal string alignment distance.
 */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforePrevious[j - 2]! + 1);
      }
      row.push(best);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/**
 * The candidate that `word` was most likely meant to be, or `undefined` when
 * none is close: at most one edit in three characters. Ignores case and takes
 * `-` and `_` for the same.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // A long word is no typing error, and the distance takes quadratic time.
  if (word.length > 100) return undefined;
  const plain = (text: string) => text.toLowerCase().replaceAll("_", "-");
  const wanted = plain(word);
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const edits = distance(wanted, plain(candidate));
    if (edits < least) [best, least] = [candidate, edits];
  }
  return least <= Math.max(1, Math.floor(Math.max(word.length, best?.length ?? 0) / 3))
    ? best
    : undefined;
}
