import { unmapped } from "./address.ts";
import { CAPTURED_PORTS, PROXY_PORT } from "../ports.ts";
import { acceptAll, carryToSidecar } from "./carry.ts";
import type { NameTable } from "./name_table.ts";
import { proxyHeader } from "./proxy_header.ts";
import type { SocketOwners } from "./socket_owner.ts";

/** What the bridge needs around it. */
export interface BridgeOptions {
  /** `0.0.0.0`, or `::` for both families. */
  readonly hostname: string;
  /** Path of the Sidecar's socket for this session. */
  readonly proxySocket: string;
  readonly names: NameTable;
  readonly owners: SocketOwners;
}

/**
 * Listens for everything that may leave, each connection going on to the Sidecar behind a header
 * that says where it came from. All ports are bound when this returns.
 */
export function openBridge(options: BridgeOptions): void {
  const proxy = Deno.listen({ hostname: "127.0.0.1", port: PROXY_PORT });
  void acceptAll(proxy, (client) => carry(client, "proxy", options));
  for (const port of CAPTURED_PORTS) {
    const captured = Deno.listen({ hostname: options.hostname, port });
    void acceptAll(captured, (client) => carry(client, "transparent", options));
  }
}

function carry(
  client: Deno.TcpConn,
  via: "proxy" | "transparent",
  { proxySocket, names, owners }: BridgeOptions,
): Promise<void> {
  return carryToSidecar(client, proxySocket, () => {
    const local = { address: unmapped(client.remoteAddr.hostname), port: client.remoteAddr.port };
    const remote = { address: unmapped(client.localAddr.hostname), port: client.localAddr.port };
    const owner = owners.find(local, remote);
    const host = via === "transparent" ? names.nameOf(remote.address) : undefined;
    client.setNoDelay();
    return proxyHeader({
      clientPort: local.port,
      address: remote.address,
      port: remote.port,
      via,
      ...(host === undefined ? {} : { host }),
      ...owner,
    });
  });
}
