import { ok, type Result } from "../core/result.ts";
import { malformed } from "./malformed.ts";

/** An absolute-form request target (RFC 9112, 3.2.2), taken apart and not yet normalised. */
export interface AbsoluteTarget {
  readonly scheme: "http" | "https";
  readonly authority: string;
  /** Origin form, starting with `/`. */
  readonly target: string;
}

/** Tells whether a request target names a scheme, as a request to a proxy does. */
export function isAbsoluteForm(target: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(target);
}

/**
 * Takes apart the target of a plain HTTP request to a proxy. The parts still go
 * through `normaliseCall`; the authority must also agree with the `Host` header.
 */
export function splitAbsoluteForm(target: string): Result<AbsoluteTarget> {
  const match = /^(https?):\/\/([^/?#\\]*)([^]*)$/i.exec(target);
  if (!match) return malformed("request target", target, "not an absolute http or https URL");
  const [, scheme, authority, rest] = match as unknown as [string, string, string, string];
  if (authority === "") return malformed("request target", target, "names no host");
  return ok({
    scheme: scheme.toLowerCase() as "http" | "https",
    authority,
    // An empty path is the root (RFC 9112, 3.2.1); anything else that is no path is refused later.
    target: rest === "" || rest.startsWith("?") ? `/${rest}` : rest,
  });
}
