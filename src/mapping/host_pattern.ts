import { ok, type Result } from "../core/result.ts";
import { normaliseAuthority } from "./authority.ts";
import { isCanonicalIpv4 } from "./ip_address.ts";
import { malformed } from "./malformed.ts";

/**
 * The hosts that a rule covers: one host, or every host below a domain
 * (`*.example.com`: one or more labels more, not the domain itself, as in Deno's
 * `--allow-net` and in certificates' intent). Without a port: the default port
 * of the scheme.
 */
export interface HostPattern {
  /** Canonical text, with the port when there is one. */
  readonly text: string;
  /** The host, or the domain under a `*.`, with the port when there is one. */
  readonly host: string;
  readonly wildcard: boolean;
}

/** Reads a host pattern; the host itself is written in any form that a request may use. */
export function parseHostPattern(raw: string): Result<HostPattern> {
  const wildcard = raw.startsWith("*.");
  const authority = normaliseAuthority(wildcard ? raw.slice(2) : raw, 0);
  if (!authority.ok) return authority;
  const { host, port } = authority.value;
  if (wildcard && (host.startsWith("[") || isCanonicalIpv4(host))) {
    return malformed("host", raw, "an address has no names below it");
  }
  const explicit = port !== 0 && port !== 80 && port !== 443;
  const withPort = explicit ? `${host}:${port}` : host;
  return ok({ text: wildcard ? `*.${withPort}` : withPort, host: withPort, wildcard });
}

/** Tells whether `pattern` covers a canonical host (with `:port` unless it is the default). */
export function matchesHost(pattern: HostPattern, host: string): boolean {
  return pattern.wildcard ? host.endsWith(`.${pattern.host}`) : host === pattern.host;
}

/** A host, or a pattern of hosts, without its port. */
export function withoutPort(host: string): string {
  return host.replace(/:[\d*]+$/, "");
}
