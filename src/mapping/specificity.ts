import { type PathPattern, takes, type Token } from "./path_pattern.ts";

/*
 * Which of two path patterns is more specific. Both are read from the left; at
 * the first place where they differ,
 *
 *   fixed text  >  fixed text around a `*`  >  `*`  >  the end  >  `**`
 *
 * and of two texts around `*` the longer, then the one with the longer beginning,
 * then the longer end, then the alphabet. Where both have their `**` at the same
 * place, the one with more segments behind it is more specific, then the one whose
 * segments behind it are, read the same way. Patterns that this order does not
 * tell apart cannot match the same path, or are the same pattern.
 */

const RANK = { literal: 3, partial: 2, star: 1 } as const;

/** Negative when `a` is more specific, 0 when they are alike in this respect. */
export function compareTokens(a: Token, b: Token): number {
  if (a.kind !== "partial" || b.kind !== "partial") return RANK[b.kind] - RANK[a.kind];
  const [left, right] = [a.fixed.join("*"), b.fixed.join("*")];
  return (right.length - b.fixed.length) - (left.length - a.fixed.length) ||
    b.fixed[0]!.length - a.fixed[0]!.length ||
    b.fixed.at(-1)!.length - a.fixed.at(-1)!.length ||
    (left === right ? 0 : left < right ? -1 : 1);
}

function compareLists(a: readonly Token[], b: readonly Token[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareTokens(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return 0;
}

/** Orders what stands behind the `**` of two patterns; negative when `a` is more specific. */
export function compareTails(a: readonly Token[], b: readonly Token[]): number {
  return b.length - a.length || compareLists(a, b);
}

/** Orders two path patterns that match the same path; negative when `a` is more specific. */
export function comparePathPatterns(a: PathPattern, b: PathPattern): number {
  const order = compareLists(a.head, b.head);
  if (order !== 0) return order;
  // Here the heads agree as far as the shorter one goes.
  if (a.head.length !== b.head.length) return b.head.length - a.head.length;
  if (a.tail && b.tail) return compareTails(a.tail, b.tail);
  return (a.tail ? 1 : 0) - (b.tail ? 1 : 0);
}

/** Stands for a segment that no fixed text equals. */
const ANY: Token = { kind: "star", encodedSlashes: false };

/** Tells whether every segment that `inner` takes is taken by `outer`; `false` where that is unclear. */
function tokenCovers(outer: Token, inner: Token): boolean {
  if (outer.kind === "star") return inner.kind !== "literal" || inner.text !== "";
  if (inner.kind === "literal") return takes(outer, inner.text);
  if (outer.kind === "literal" || inner.kind === "star") return false;
  if (outer.fixed.length > 2) return outer.fixed.join("*") === inner.fixed.join("*");
  return inner.fixed[0]!.startsWith(outer.fixed[0]!) &&
    inner.fixed.at(-1)!.endsWith(outer.fixed[1]!);
}

function coversList(outer: PathPattern, inner: readonly Token[]): boolean {
  const { head, tail } = outer;
  if (tail ? inner.length < head.length + tail.length : inner.length !== head.length) return false;
  const tailStart = inner.length - (tail?.length ?? 0);
  return head.every((token, i) => tokenCovers(token, inner[i]!)) &&
    (tail ?? []).every((token, i) => tokenCovers(token, inner[tailStart + i]!));
}

/** Tells whether every path that `inner` matches is matched by `outer`; `false` where that is unclear. */
export function covers(outer: PathPattern, inner: PathPattern): boolean {
  if (!inner.tail) return coversList(outer, inner.head);
  if (!outer.tail) return false;
  const common = Math.min(outer.head.length, inner.head.length);
  for (let i = 0; i < common; i++) if (!tokenCovers(outer.head[i]!, inner.head[i]!)) return false;
  // A `**` at the end also takes the empty segment behind a last slash.
  const slash: Token = { kind: "literal", text: "" };
  if (inner.tail.length === 0 && !coversList(outer, [...inner.head, slash])) return false;
  // A `**` longer than the other pattern brings nothing new.
  const longest = outer.head.length + outer.tail.length;
  for (let length = 0; length <= longest; length++) {
    const between = new Array<Token>(length).fill(ANY);
    if (!coversList(outer, [...inner.head, ...between, ...inner.tail])) return false;
  }
  return true;
}
