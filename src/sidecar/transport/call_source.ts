import type { Peer, TunnelClaim } from "../gate.ts";

/** Where the requests of a connection come from. */
export interface CallSource {
  readonly peer: Peer;
  /** Absent on the proxy port itself, where each request names its target. */
  readonly tunnel: TunnelClaim | undefined;
}
