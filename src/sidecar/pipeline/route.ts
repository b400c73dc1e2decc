import type { HttpCall } from "../../core/envelope.ts";
import type { Route } from "../gate.ts";

/** How to reach one host, with the certificates read. */
export interface ConnectorHost {
  /** Canonical. */
  readonly host: string;
  readonly connectAddr: Route["connectAddr"];
  /** PEM. */
  readonly caCerts: readonly string[];
}

/** Where an allowed call goes. */
export function routeTo(call: HttpCall, connector: ConnectorHost | undefined): Route {
  const { host, port } = call;
  const caCerts = connector?.caCerts ?? [];
  return {
    host,
    port,
    tls: call.scheme === "https",
    ...(connector?.connectAddr && { connectAddr: connector.connectAddr }),
    ...(caCerts.length > 0 && { caCerts }),
  };
}
