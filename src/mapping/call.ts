import type { HttpCall } from "../core/envelope.ts";
import { ok, type Result } from "../core/result.ts";
import { defaultPort, normaliseAuthority } from "./authority.ts";
import { malformed } from "./malformed.ts";
import { isMethod } from "./method.ts";
import { checkQuery, normalisePath } from "./path.ts";

/** One request as it came. */
export interface RawCall {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** `Host` or `:authority`. */
  readonly authority: string | undefined;
  /** Request target in origin form (RFC 9112, 3.2.1). */
  readonly target: string;
}

/**
 * Brings a request into the one form that is matched, shown to policies, sent
 * upstream and recorded. Whatever has no such form is refused
 * (`MALFORMED_REQUEST`): guessing what the upstream would make of it is how
 * boundaries are bypassed. Idempotent.
 */
export function normaliseCall(raw: RawCall): Result<HttpCall> {
  if (!isMethod(raw.method)) return malformed("method", raw.method, "not a known method");
  if (raw.authority === undefined) return malformed("host", "", "there is none");
  const authority = normaliseAuthority(raw.authority, defaultPort(raw.scheme));
  if (!authority.ok) return authority;
  const mark = raw.target.indexOf("?");
  const path = normalisePath(mark < 0 ? raw.target : raw.target.slice(0, mark));
  if (!path.ok) return path;
  const query = mark < 0 ? ok("") : checkQuery(raw.target.slice(mark));
  if (!query.ok) return query;
  return ok({
    method: raw.method,
    scheme: raw.scheme,
    host: authority.value.host,
    port: authority.value.port,
    path: path.value,
    query: query.value,
  });
}

/**
 * The call that stands for a CONNECT to `host` and `port`, for hosts whose
 * tunnels are not opened: only rules that name the method CONNECT match it.
 */
export function connectCall(host: string, port: number): HttpCall {
  return { method: "CONNECT", scheme: "https", host, port, path: "/", query: "" };
}
