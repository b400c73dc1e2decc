import { keptBack } from "../../net/http/end_to_end.ts";
import { normaliseCall } from "../../mapping/call.ts";
import { normaliseHost } from "../../mapping/host.ts";
import { overrideIn } from "../../mapping/override.ts";
import type { HttpCall } from "../../core/envelope.ts";
import type { CallInput, TunnelClaim } from "../gate.ts";
import type { Denial, Stage } from "./draft.ts";

/**
 * First stage: gives the call its canonical form, and refuses what different
 * readers would take for different calls.
 */
export function canonicalise(): Stage {
  return (draft) => {
    const { input } = draft;
    const fault = ambiguity(input);
    if (fault !== undefined) return malformed(fault);
    const call = normaliseCall({
      method: input.method,
      scheme: input.scheme,
      authority: input.authority,
      target: input.target,
    });
    if (!call.ok) return malformed(call.error.message);
    const disagreement = input.tunnel && tunnelDisagrees(input.tunnel, call.value);
    if (disagreement !== undefined) return malformed(disagreement);
    draft.call = call.value;
  };
}

function malformed(detail: string): Denial {
  return { reason: "MalformedRequest", detail };
}

function ambiguity(input: CallInput): string | undefined {
  if (input.method === "CONNECT") return "CONNECT inside a connection that is a call already";
  if (input.authority === undefined) return "no Host";
  let lengths = 0;
  let encoded = false;
  for (const [name, value] of input.headers) {
    if (name === "host" && value.trim().toLowerCase() !== input.authority.trim().toLowerCase()) {
      return "Host headers that disagree";
    }
    if (name === "content-length" && (++lengths > 1 || !/^\d+$/.test(value.trim()))) {
      return "Content-Length is given twice or is not a number";
    }
    if (name === "transfer-encoding") encoded = true;
  }
  if (lengths > 0 && encoded) return "both Content-Length and Transfer-Encoding";
  // What was decided by, or approved, would not be what the server sees (RFC 9110, 7.6.1).
  const missing = keptBack(input.headers);
  if (missing !== undefined) return `Connection would keep "${missing}" from the server`;
  const mark = input.target.indexOf("?");
  const query = mark < 0 ? "" : input.target.slice(mark);
  const override = overrideIn(input.method, query, input.headers);
  if (override !== undefined) return `"${override}" asks to be taken for another call`;
}

/**
 * What the connection claimed and what the request says are one and the same,
 * or the certificate of one host would carry requests to another (domain
 * fronting, HTTP/2 coalescing).
 */
function tunnelDisagrees(tunnel: TunnelClaim, call: HttpCall): string | undefined {
  const connectHost = normaliseHost(tunnel.connectHost);
  if (!connectHost.ok) return connectHost.error.message;
  if (connectHost.value !== call.host || tunnel.connectPort !== call.port) {
    return `the connection is for "${connectHost.value}:${tunnel.connectPort}", ` +
      `the request for "${call.host}:${call.port}"`;
  }
  if (tunnel.sni === undefined) return undefined;
  const sni = normaliseHost(tunnel.sni);
  if (!sni.ok) return sni.error.message;
  if (sni.value === call.host) return undefined;
  return `TLS asked for "${sni.value}", the request for "${call.host}"`;
}
