import type { Revocation } from "../core/authority.ts";
import { isId } from "../core/id.ts";
import type { FirmaError } from "../core/result.ts";
import { parseTimestamp } from "../core/timestamp.ts";

/** What a revocation file says. */
export interface RevocationList {
  readonly revocations: readonly Revocation[];
  /** Lines that are not as they should be. What they may mean is revoked all the same. */
  readonly errors: readonly FirmaError[];
}

const TOKEN_ID = /ctok_[0-9a-z]{26}/gi;

/**
 * Reads a revocation file: one token a line, `<token id> TAB <RFC 3339> TAB
 * <reason>`, or the identifier alone, which counts as revoked at `nowText`. Blank
 * lines and lines that start with `#` say nothing.
 *
 * A line that is anything else is an error, and whatever in it looks like a
 * token is revoked: a typing error must not keep a token alive.
 */
export function parseRevocations(file: string, text: string, nowText: string): RevocationList {
  const revocations = new Map<string, Revocation>();
  const errors: FirmaError[] = [];
  const revoke = (tokenId: string, timestamp: string, reason: string) => {
    if (!revocations.has(tokenId)) revocations.set(tokenId, { tokenId, timestamp, reason });
  };
  text.split(/\r\n|\r|\n/).forEach((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const [tokenId = "", timestamp, ...reason] = line.split("\t");
    const timely = timestamp === undefined || parseTimestamp(timestamp) !== undefined;
    if (isId("ctok", tokenId) && timely) {
      return revoke(tokenId, timestamp ?? nowText, reason.join(" ").trim());
    }
    for (const [found] of line.matchAll(TOKEN_ID)) {
      revoke(found.toLowerCase(), nowText, "named on a line that cannot be read");
    }
    errors.push({
      code: "REVOCATION_MALFORMED",
      message: `Cannot read line ${index + 1} of "${file}": it is not a token, a time and a reason`,
      cure: "write: <token id> TAB <RFC 3339 time> TAB <reason>",
      at: { file, line: index + 1 },
    });
  });
  return { revocations: [...revocations.values()], errors };
}
