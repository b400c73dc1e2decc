import { isCanonicalIpv4 } from "../../mapping/ip_address.ts";
import { blockedAddress } from "../transport/address_guard.ts";
import { found, type Stage } from "./draft.ts";

/**
 * Refuses calls to this machine and to private networks by their address. Names
 * that resolve to such an address are refused when the connection is made.
 * Hosts for which the operator configured where to connect are exempt.
 */
export function locality(options: { readonly exemptHosts: ReadonlySet<string> }): Stage {
  return (draft) => {
    const { host } = found(draft.call, "call");
    if (options.exemptHosts.has(host)) return;
    const range = localName(host) ? "loopback" : literalRange(host);
    if (range === undefined) return;
    return {
      reason: "LoopbackBlocked",
      detail: `"${host}" is not on the public internet: ${range}`,
    };
  };
}

/** RFC 6761, 6.3: these never leave the machine, whatever a resolver says. */
function localName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

function literalRange(host: string): string | undefined {
  return isCanonicalIpv4(host) || host.startsWith("[")
    ? blockedAddress(host.replace(/^\[|\]$/g, ""))
    : undefined;
}
