import { ok, type Result } from "../core/result.ts";
import { malformed } from "./malformed.ts";

/** Longest path that is classified, in characters. */
export const LONGEST_PATH = 8192;

/** Longest query that is passed on, in characters. */
export const LONGEST_QUERY = 32768;

const PLAIN_PATH =
  /^\/[A-Za-z0-9_~@:!$&'()*+,=-][\w.~@:!$&'()*+,=-]*(?:\/[A-Za-z0-9_~@:!$&'()*+,=-][\w.~@:!$&'()*+,=-]*)*\/?$/;

// RFC 3986 pchar, and three that common clients leave raw and no server reads as structure.
const SEGMENT = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@|[\]-]|%[0-9A-Fa-f]{2})*$/;
const UNRESERVED = /[A-Za-z0-9._~-]/;

// Dot, slash, backslash, NUL and percent encoded twice: a server that decodes twice sees them.
const TWICE_ENCODED = /%25(?:2E|2F|5C|00|25)/i;

// Escapes of printable ASCII but "%" and "\\", which need no closer look.
const HARMLESS = /^(?:[^%]|%(?:2[0-46-9A-F]|3[A-F]|40|5[BDE]|60|7[B-D]))*$/;

// A server may read `..;x` as `..` with a path parameter.
const DOTS = /^\.\.?(?:;|$)/;

function canonicalEscape(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return UNRESERVED.test(character) ? character : escape.toUpperCase();
}

/** Why a segment in canonical form is refused, or `undefined`. */
function fault(segment: string): string | undefined {
  if (!HARMLESS.test(segment)) {
    if (TWICE_ENCODED.test(segment)) return "percent-encoded twice";
    if (segment.includes("%5C")) return "has a backslash";
    let decoded: string;
    try {
      decoded = decodeURIComponent(segment);
    } catch {
      // Overlong encodings of dots and slashes are not UTF-8 either.
      return "percent-encoding is not UTF-8";
    }
    // deno-lint-ignore no-control-regex -- controls are what this looks for
    if (/[\x00-\x1f\x7f]/.test(decoded)) return "has a control character";
  }
  if (!segment.includes("%2F")) return DOTS.test(segment) ? "has a dot segment" : undefined;
  const parts = segment.split("%2F");
  if (parts.some((part) => DOTS.test(part))) return "has a dot segment";
  return parts.indexOf("") >= 0 && parts.indexOf("") < parts.length - 1
    ? "has an empty segment"
    : undefined;
}

/** Canonical form of one path segment; `""` for an empty one. */
export function normaliseSegment(raw: string): Result<string> {
  if (!SEGMENT.test(raw)) {
    return malformed("path segment", raw, "has a character that must be percent-encoded");
  }
  const segment = raw.includes("%") ? raw.replace(/%../g, canonicalEscape) : raw;
  const state = fault(segment);
  return state === undefined ? ok(segment) : malformed("path segment", raw, state);
}

/**
 * The canonical form of an absolute path: unreserved characters decoded, the hex
 * digits of other escapes in upper case (RFC 3986, 6.2.2), nothing else touched,
 * for the canonical form is what is sent. Refused (`MALFORMED_REQUEST`): dot
 * segments and empty segments in any spelling, backslashes, control characters,
 * escapes that are not UTF-8 or encode dots, slashes or NUL twice. A slash at
 * the end is kept and counts as a last, empty segment. `%2F` stays as data
 * within its segment. Idempotent.
 */
export function normalisePath(raw: string): Result<string> {
  if (raw.length > LONGEST_PATH) return malformed("path", raw, "longer than 8192 characters");
  if (raw === "/" || PLAIN_PATH.test(raw)) return ok(raw);
  if (!raw.startsWith("/")) return malformed("path", raw, "does not start with a slash");
  const segments = raw.slice(1).split("/");
  for (const [i, rawSegment] of segments.entries()) {
    if (rawSegment === "" && i < segments.length - 1) {
      return malformed("path", raw, "has an empty segment");
    }
    const segment = normaliseSegment(rawSegment);
    if (!segment.ok) return segment;
    segments[i] = segment.value;
  }
  return ok(`/${segments.join("/")}`);
}

/** Checks a query (with its `?`, or `""`). It is passed on as it came. */
export function checkQuery(raw: string): Result<string> {
  if (raw.length > LONGEST_QUERY) return malformed("query", "", "longer than 32768 characters");
  // The value may hold a secret, so it is not shown.
  if (!/^[!-~]*$/.test(raw)) return malformed("query", "", "has a control character or a space");
  if (raw.includes("#")) return malformed("query", "", "has a fragment");
  return ok(raw);
}
