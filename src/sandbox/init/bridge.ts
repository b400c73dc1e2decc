import { unmapped } from "./address.ts";
import { CAPTURED_PORTS, PROXY_PORT } from "../ports.ts";
import { close, join } from "./copy.ts";
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
  void serve(proxy, "proxy", options);
  for (const port of CAPTURED_PORTS) {
    void serve(Deno.listen({ hostname: options.hostname, port }), "transparent", options);
  }
}

async function serve(
  listener: Deno.TcpListener,
  via: "proxy" | "transparent",
  options: BridgeOptions,
): Promise<void> {
  for (;;) {
    try {
      void carry(await listener.accept(), via, options);
    } catch {
      // Too many open files, most likely: existing connections must end first.
      await new Promise((done) => setTimeout(done, 10));
    }
  }
}

async function carry(
  client: Deno.TcpConn,
  via: "proxy" | "transparent",
  { proxySocket, names, owners }: BridgeOptions,
): Promise<void> {
  try {
    const local = { address: unmapped(client.remoteAddr.hostname), port: client.remoteAddr.port };
    const remote = { address: unmapped(client.localAddr.hostname), port: client.localAddr.port };
    const owner = owners.find(local, remote);
    const host = via === "transparent" ? names.nameOf(remote.address) : undefined;
    const header = proxyHeader({
      clientPort: local.port,
      address: remote.address,
      port: remote.port,
      via,
      ...(host === undefined ? {} : { host }),
      ...owner,
    });
    client.setNoDelay();
    const sidecar = await Deno.connect({ transport: "unix", path: proxySocket });
    try {
      for (let sent = 0; sent < header.length;) sent += await sidecar.write(header.subarray(sent));
      await join(client, sidecar);
    } finally {
      close(sidecar);
    }
  } catch {
    // No Sidecar, no connection: the client sees it closed.
  } finally {
    close(client);
  }
}
