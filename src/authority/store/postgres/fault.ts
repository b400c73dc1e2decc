import { FirmaException } from "../../../core/result.ts";

/** Codes of PostgreSQL, by their first two digits, that say: not now. */
const PASSING = /^(?:08|53|57|40)/;

/**
 * What went wrong with the database, as everybody else speaks of it. The text is
 * the server's or the system's; neither holds a password.
 */
export function storeError(cause: unknown): FirmaException {
  if (cause instanceof FirmaException) return cause;
  const code = codeOf(cause);
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !PASSING.test(code)) {
    return new FirmaException({
      code: "STORE_REFUSED",
      message: `Cannot use the Authority's store: ${reason(cause)}`,
      cure: "check what the user of the database may do there; docs/guides/authority.md says what",
    });
  }
  return new FirmaException({
    code: "STORE_UNREACHABLE",
    message: `Cannot use the Authority's store: ${reason(cause)}`,
    cure: "make the database reachable; no bundle is renewed and no token issued until then",
  });
}

function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

function reason(cause: unknown): string {
  // A name with several addresses has one fault for each, and no text of its own.
  if (cause instanceof AggregateError && cause.errors.length > 0) return reason(cause.errors[0]);
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || codeOf(cause) || cause.name;
}
