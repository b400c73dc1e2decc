import type { PathPattern } from "../../mapping/path_pattern.ts";

/** A path with `undefined` where any text may stand. */
export type PathShape = readonly (string | undefined)[];

/**
 * Paths that one mapping pattern matches, with whatever takes more than `most` values left open:
 * a policy for the repositories that were seen, or for all of them once there were many. What the
 * pattern names literally never is.
 */
export function generalise(
  pattern: PathPattern,
  paths: readonly string[],
  most: number,
): PathShape[] {
  const cut = paths.map((path) => pieces(pattern, path));
  const values = openPositions(pattern).map((isOpen, position) =>
    new Set(isOpen ? cut.map((parts) => parts[position]) : [])
  );
  const shapes = cut.map((parts): PathShape =>
    parts.flatMap((part, position) => {
      if (part === NOTHING) return [];
      return [values[position]!.size > most ? undefined : part];
    })
  );
  return distinct(shapes);
}

/** A path that is permitted as it is. */
export function literally(path: string): PathShape {
  return path.slice(1).split("/");
}

/** Each shape once, in order. */
export function distinct(shapes: readonly PathShape[]): PathShape[] {
  return [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()];
}

/** Which pieces of a path the pattern leaves open. */
function openPositions({ head, tail }: PathPattern): boolean[] {
  const open = (tokens: PathPattern["head"]) => tokens.map(({ kind }) => kind !== "literal");
  return tail === undefined ? open(head) : [...open(head), true, ...open(tail)];
}

/** What a `**` takes that takes no segment: it has no slash of its own either. */
const NOTHING = Symbol("nothing");

/** The segments of a path, those that a `**` takes in one piece. */
function pieces({ head, tail }: PathPattern, path: string): (string | typeof NOTHING)[] {
  const segments = path.slice(1).split("/");
  if (tail === undefined) return segments;
  const end = segments.length - tail.length;
  const rest = end > head.length ? segments.slice(head.length, end).join("/") : NOTHING;
  return [...segments.slice(0, head.length), rest, ...segments.slice(end)];
}
