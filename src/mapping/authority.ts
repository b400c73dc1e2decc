import { ok, type Result } from "../core/result.ts";
import { normaliseHost } from "./host.ts";
import { malformed } from "./malformed.ts";

/** A host in canonical form and a port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The port that a scheme uses when none is named. */
export function defaultPort(scheme: "http" | "https"): number {
  return scheme === "https" ? 443 : 80;
}

/** `host`, or `host:port` when the port is not the default of the scheme. */
export function formatAuthority(host: string, port: number, scheme: "http" | "https"): string {
  return port === defaultPort(scheme) ? host : `${host}:${port}`;
}

/**
 * Takes apart `host`, `host:port` or `[address]:port` (RFC 3986, 3.2 without
 * user information). The port is `fallback` when none is written.
 */
export function normaliseAuthority(raw: string, fallback: number): Result<HostAndPort> {
  const colon = raw.lastIndexOf(":");
  const bare = colon < 0 || raw.endsWith("]");
  const host = normaliseHost(bare ? raw : raw.slice(0, colon));
  if (!host.ok) return host;
  if (bare) return ok({ host: host.value, port: fallback });
  const text = raw.slice(colon + 1);
  // A leading zero or an empty port is read differently by different servers.
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) return malformed("port", text, "not a number from 1 to 65535");
  return ok({ host: host.value, port });
}
