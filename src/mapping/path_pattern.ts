import { err, ok, type Result } from "../core/result.ts";
import { normaliseSegment } from "./path.ts";

/** One part of a path pattern. */
export type Token =
  /** Exactly this segment; `""` is the end of a path that ends in a slash. */
  | { readonly kind: "literal"; readonly text: string }
  /** `v*`, `*:predict`, `@*%2F*`: fixed texts with one or more characters between them. */
  | { readonly kind: "partial"; readonly fixed: readonly string[] }
  /** `*`: exactly one non-empty segment; `{*}`: the same, and it may have encoded slashes. */
  | { readonly kind: "star"; readonly encodedSlashes: boolean };

/**
 * A path pattern: `head`, then, when there is a `**`, any number of segments,
 * then `tail`. There is at most one `**`, so that matching never backtracks far.
 *
 * A `%2F` within a segment is data, and what an upstream makes of it is its own
 * affair. So a pattern matches one only where it has one itself, or where its
 * author says with `{*}` or `{**}` that there it is data to the upstream too.
 */
export interface PathPattern {
  readonly text: string;
  readonly head: readonly Token[];
  /** Present when the pattern has a `**`; empty when it ends in it. */
  readonly tail?: readonly Token[];
  /** The `**` is a `{**}`: encoded slashes may occur in what it takes. */
  readonly restEncodedSlashes: boolean;
}

const STAR: Token = { kind: "star", encodedSlashes: false };
const BRACED_STAR: Token = { kind: "star", encodedSlashes: true };

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

function parseToken(raw: string): Result<Token, string> {
  if (raw === "*") return ok(STAR);
  if (raw === "{*}") return ok(BRACED_STAR);
  if (PLAIN.test(raw)) return ok({ kind: "literal", text: raw });
  if (raw.includes("**")) return err(`has "**" within "${raw}"`);
  const segment = normaliseSegment(raw);
  if (!segment.ok) return err(`is none: ${segment.error.message}`);
  // Split first: an escaped "*" of the canonical form is a character like any other.
  const fixed = segment.value.split("*").map(matchView);
  return ok(fixed.length === 1 ? { kind: "literal", text: fixed[0]! } : { kind: "partial", fixed });
}

/** Reads a path pattern; the error says what is wrong with it. */
export function parsePathPattern(raw: string): Result<PathPattern, string> {
  if (!raw.startsWith("/")) return err('does not start with "/"');
  if (/[?#]/.test(raw)) return err("has a query or a fragment");
  const head: Token[] = [];
  let tail: Token[] | undefined;
  const segments = raw.slice(1).split("/");
  for (const [i, segment] of segments.entries()) {
    if (segment === "**" || segment === "{**}") {
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
    restEncodedSlashes: segments.includes("{**}"),
  });
}

function takesFixed(fixed: readonly string[], segment: string): boolean {
  const last = fixed.length - 1;
  if (!segment.startsWith(fixed[0]!)) return false;
  let at = fixed[0]!.length;
  for (let i = 1; i < last; i++) {
    const found = segment.indexOf(fixed[i]!, at + 1);
    if (found < 0) return false;
    at = found + fixed[i]!.length;
  }
  return segment.length - fixed[last]!.length > at && segment.endsWith(fixed[last]!);
}

/** Tells whether a token takes a segment, whatever encoded slashes that has. */
export function takes(token: Token, segment: string): boolean {
  switch (token.kind) {
    case "literal":
      return token.text === segment;
    case "partial":
      return takesFixed(token.fixed, segment);
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

/** Tells whether a pattern matches the segments of a path, whatever encoded slashes they have. */
export function matchesPath(pattern: PathPattern, segments: readonly string[]): boolean {
  const { head, tail } = pattern;
  if (tail ? segments.length < head.length : segments.length !== head.length) return false;
  return head.every((token, i) => takes(token, segments[i]!)) &&
    (!tail || takesTail(tail, segments, head.length));
}

const ENCODED_SLASH = "%2F";

function slashesIn(text: string): number {
  return text.split(ENCODED_SLASH).length - 1;
}

function allows(token: Token, segment: string): boolean {
  if (!segment.includes(ENCODED_SLASH)) return true;
  if (token.kind === "star") return token.encodedSlashes;
  // As many as in the fixed text: then no `*` took one.
  return token.kind === "literal" || slashesIn(segment) === slashesIn(token.fixed.join("*"));
}

/**
 * Tells whether a pattern that matches the segments allows the encoded slashes
 * where they are.
 */
export function allowsEncodedSlashes(
  pattern: PathPattern,
  segments: readonly string[],
  rest: boolean = pattern.restEncodedSlashes,
): boolean {
  const { head, tail } = pattern;
  if (!head.every((token, i) => allows(token, segments[i]!))) return false;
  if (!tail) return true;
  const tailStart = segments.length - tail.length;
  return tail.every((token, i) => allows(token, segments[tailStart + i]!)) &&
    (rest || !segments.slice(head.length, tailStart).some((text) => text.includes(ENCODED_SLASH)));
}
