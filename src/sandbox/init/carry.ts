import { close, join } from "./copy.ts";

/** Hands every connection that comes to `carry`, which must not throw. Never ends. */
export async function acceptAll<Connection extends Deno.Conn>(
  listener: { accept(): Promise<Connection> },
  carry: (client: Connection) => Promise<void>,
): Promise<never> {
  for (;;) {
    try {
      void carry(await listener.accept());
    } catch {
      // Too many open files, most likely: existing connections must end first.
      await new Promise((done) => setTimeout(done, 10));
    }
  }
}

/**
 * Joins a connection with the Sidecar's socket, behind the header that `describe` makes for it, and
 * closes both. Whatever goes wrong, the client sees its connection closed. Never throws.
 */
export async function carryToSidecar(
  client: Deno.Conn,
  proxySocket: string,
  describe: () => Uint8Array,
): Promise<void> {
  try {
    const header = describe();
    const sidecar = await Deno.connect({ transport: "unix", path: proxySocket });
    try {
      for (let sent = 0; sent < header.length;) sent += await sidecar.write(header.subarray(sent));
      await join(client, sidecar);
    } finally {
      close(sidecar);
    }
  } catch {
    // No Sidecar, no connection.
  } finally {
    close(client);
  }
}
