import { nodeModule } from "../core/node_module.ts";
import { ok, type Result } from "../core/result.ts";
import { embedsIpv4, formatIpv6, isCanonicalIpv4, looksLikeIpv4, parseIpv6 } from "./ip_address.ts";
import { malformed } from "./malformed.ts";

/** Longest host name, in characters without the trailing dot (RFC 1035, 2.3.4). */
const LONGEST_HOST = 253;

// Underscores are no host name characters (RFC 952), yet names with them are served.
const LABELS = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/;

function normaliseIpv6(raw: string, address: string): Result<string> {
  const groups = parseIpv6(address);
  if (!groups) return malformed("host", raw, "not an IPv6 address");
  // Refused, not rewritten: a rule for the IPv4 address would not see this one.
  if (embedsIpv4(groups)) return malformed("host", raw, "an IPv4 address inside an IPv6 address");
  return ok(`[${formatIpv6(groups)}]`);
}

function toAscii(raw: string, host: string): Result<string> {
  // deno-lint-ignore no-control-regex -- what is outside ASCII
  const foreign = /[^\x00-\x7f]/.test(host);
  if (!foreign && !host.includes("xn--")) return ok(host);
  const ascii = nodeModule("node:url").domainToASCII(host);
  if (ascii === "") return malformed("host", raw, "not an internationalised domain name");
  // An A-label that does not survive its own conversion names something else to a resolver.
  if (!foreign && ascii !== host) return malformed("host", raw, "not a canonical A-label");
  return ok(ascii);
}

/**
 * The canonical form of a host name or address without a port: lower case, no
 * trailing dot, A-labels (UTS 46) for international names; IPv4 addresses as
 * four decimal numbers, IPv6 addresses in brackets as RFC 5952 writes them.
 * Other spellings of an IPv4 address, user information, ports, zones and white
 * space are refused (`MALFORMED_REQUEST`). Idempotent.
 */
export function normaliseHost(raw: string): Result<string> {
  if (raw === "") return malformed("host", raw, "value is empty");
  if (raw.length > 4 * LONGEST_HOST) return malformed("host", raw, "longer than 253 characters");
  if (raw.startsWith("[") && raw.endsWith("]")) return normaliseIpv6(raw, raw.slice(1, -1));
  const ascii = toAscii(raw, raw.toLowerCase());
  if (!ascii.ok) return ascii;
  const host = ascii.value.endsWith(".") ? ascii.value.slice(0, -1) : ascii.value;
  if (host.includes(":")) {
    return malformed("host", raw, "has a port or an address without brackets");
  }
  if (host.length > LONGEST_HOST) return malformed("host", raw, "longer than 253 characters");
  if (!LABELS.test(host)) return malformed("host", raw, "not a host name");
  if (looksLikeIpv4(host) && !isCanonicalIpv4(host)) {
    return malformed("host", raw, "an IPv4 address that is not four decimal numbers");
  }
  return ok(host);
}
