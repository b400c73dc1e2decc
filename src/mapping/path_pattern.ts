import { err, ok, type Result } from "../core/result.ts";
import { normaliseSegment } from "./path.ts";

/** One part of a path pattern. */
export type Token =
  /** Exactly this segment; `""` is the end of a path that ends in a slash. */
  | { readonly kind: "literal"; readonly text: string }
  /** `v*`, `*:predict`: fixed text around one or more characters of one segment. */
  | { readonly kind: "partial"; readonly prefix: string; readonly suffix: string }
  /** `*`: exactly one non-empty segment. */
  | { readonly kind: "star" };

/**
 * A path pattern: `head`, then, when there is a `**`, any number of segments,
 * then `tail`. There is at most one `**`, so that matching never backtracks far.
 */
export interface PathPattern {
  readonly text: string;
  readonly head: readonly Token[];
  /** Present when the pattern has a `**`; empty when it ends in it. */
  readonly tail?: readonly Token[];
  /** `%2F` within the fixed text: what a path may have without a rule accepting it. */
  readonly encodedSlashes: number;
}

const STAR: Token = { kind: "star" };

/** A segment that is its own canonical form; most segments of rules are. */
const PLAIN = /^[A-Za-z0-9_~@:-][\w.~@:-]*$/;

// Sub-delimiters, colon and at: servers take their escapes for the characters themselves.
const EQUIVALENT = /%(?:21|24|26|27|28|29|2A|2B|2C|3A|3B|3D|40)/g;

/**
 * A canonical segment as patterns see it: escapes of characters that may stand
 * raw in a segment are decoded, so that no rule for `/@scope` is bypassed by
 * `/%40scope`. Everything else, `%2F` above all, stays encoded.
 */
export function matchView(segment: string): string {
  return segment.includes("%")
    ? segment.replace(EQUIVALENT, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
    : segment;
}

/** The segments of a canonical path as patterns see them; the last one of `/a/` is `""`. */
export function matchSegments(path: string): string[] {
  const segments = path.slice(1).split("/");
  return path.includes("%") ? segments.map(matchView) : segments;
}

/** How often `%2F` occurs in a canonical path. */
export function encodedSlashes(path: string): number {
  return path.includes("%2F") ? path.split("%2F").length - 1 : 0;
}

function parseToken(raw: string): Result<Token, string> {
  if (raw === "*") return ok(STAR);
  if (PLAIN.test(raw)) return ok({ kind: "literal", text: raw });
  const parts = raw.split("*");
  if (parts.length > 2) return err(`"${raw}" has more than one "*"`);
  const fixed: string[] = [];
  for (const part of parts) {
    const segment = normaliseSegment(part);
    if (!segment.ok) return err(segment.error.message);
    fixed.push(matchView(segment.value));
  }
  const [prefix, suffix] = fixed as [string, string?];
  return ok(
    suffix === undefined ? { kind: "literal", text: prefix } : { kind: "partial", prefix, suffix },
  );
}

/** Reads a path pattern; the error says what is wrong with it. */
export function parsePathPattern(raw: string): Result<PathPattern, string> {
  if (!raw.startsWith("/")) return err('does not start with "/"');
  if (/[?#]/.test(raw)) return err("has a query or a fragment");
  const head: Token[] = [];
  let tail: Token[] | undefined;
  const segments = raw.slice(1).split("/");
  for (const [i, segment] of segments.entries()) {
    if (segment === "**") {
      if (tail) return err('has more than one "**"');
      tail = [];
      continue;
    }
    if (segment === "" && i < segments.length - 1) return err("has an empty segment");
    const token = parseToken(segment);
    if (!token.ok) return token;
    (tail ?? head).push(token.value);
  }
  return ok({
    text: raw,
    head,
    ...(tail && { tail }),
    encodedSlashes: encodedSlashes(raw.toUpperCase()),
  });
}

/** Tells whether a token takes a segment. */
export function takes(token: Token, segment: string): boolean {
  switch (token.kind) {
    case "literal":
      return token.text === segment;
    case "partial":
      return segment.length > token.prefix.length + token.suffix.length &&
        segment.startsWith(token.prefix) && segment.endsWith(token.suffix);
    case "star":
      return segment !== "";
  }
}

/** Tells whether `tail` takes the last segments of a path, none of them before `from`. */
export function takesTail(
  tail: readonly Token[],
  segments: readonly string[],
  from: number,
): boolean {
  const start = segments.length - tail.length;
  return start >= from && tail.every((token, i) => takes(token, segments[start + i]!));
}

/** Tells whether a pattern matches the segments of a path. */
export function matchesPath(pattern: PathPattern, segments: readonly string[]): boolean {
  const { head, tail } = pattern;
  if (tail ? segments.length < head.length : segments.length !== head.length) return false;
  return head.every((token, i) => takes(token, segments[i]!)) &&
    (!tail || takesTail(tail, segments, head.length));
}
