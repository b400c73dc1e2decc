import type { PathPattern, Token } from "../../mapping/path_pattern.ts";
import type { PathShape } from "./generalise.ts";

/** What a pattern takes next: one character, any text, or some text without a slash. */
type Piece = { readonly char: string } | "any" | "segment";

/**
 * Whether some path is taken by both. In Cedar's `like` an open part may hold slashes, so a shape
 * may take paths that its own rule does not.
 */
export function mayMeet(shape: PathShape, pattern: PathPattern): boolean {
  const pieces = shapePieces(shape);
  return patternPieces(pattern).some((other) => meet(pieces, other));
}

function shapePieces(shape: PathShape): Piece[] {
  return shape.flatMap((part): Piece[] => ["/", ...part ?? [undefined]].map(asPiece));
}

function asPiece(char: string | undefined): Piece {
  return char === undefined ? "any" : { char };
}

/** A `**` that takes nothing has no slash of its own either. */
function patternPieces({ head, tail }: PathPattern): Piece[][] {
  const segments = (tokens: readonly Token[]) =>
    tokens.flatMap((token): Piece[] => [{ char: "/" }, ...tokenPieces(token)]);
  const first = segments(head);
  if (tail === undefined) return [first];
  const last = segments(tail);
  return [[...first, ...last], [...first, { char: "/" }, "any", ...last]];
}

function tokenPieces(token: Token): Piece[] {
  if (token.kind === "star") return ["segment"];
  if (token.kind === "literal") return [...token.text].map((char) => ({ char }));
  return token.fixed.flatMap((text, i): Piece[] => [
    ...(i === 0 ? [] : ["segment" as const]),
    ...[...text].map((char) => ({ char })),
  ]);
}

/** Two patterns side by side: each place in both is looked at once. */
function meet(a: readonly Piece[], b: readonly Piece[]): boolean {
  const seen = new Set<number>();
  const open: [number, number][] = [[0, 0]];
  const visit = (i: number, j: number) => {
    const key = i * (b.length + 1) + j;
    if (seen.has(key)) return;
    seen.add(key);
    open.push([i, j]);
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [i, j] = next;
    if (i === a.length && j === b.length) return true;
    const [x, y] = [a[i], b[j]];
    // What may be empty, or has taken enough, gives way to what follows it.
    if (isOpen(x)) visit(i + 1, j);
    if (isOpen(y)) visit(i, j + 1);
    if (x === undefined || y === undefined) continue;
    if (isOpen(x)) {
      if (!isOpen(y) && takesChar(x, y.char)) visit(i, j + 1);
    } else if (isOpen(y)) {
      if (takesChar(y, x.char)) visit(i + 1, j);
    } else if (x.char === y.char) visit(i + 1, j + 1);
  }
  return false;
}

function isOpen(piece: Piece | undefined): piece is "any" | "segment" {
  return piece === "any" || piece === "segment";
}

function takesChar(open: "any" | "segment", char: string): boolean {
  return open === "any" || char !== "/";
}
