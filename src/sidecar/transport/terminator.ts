import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext } from "node:tls";
import { type HandshakeHandler, startTls } from "../../net/tls_handshake.ts";
import type { TransportOptions } from "./transport_options.ts";
import type { Watchdog } from "../../net/watchdog.ts";

/** Hosts whose certificates are kept. */
const MAX_HOSTS = 512;
const HANDSHAKE_MS = 15_000;

/** Terminates TLS with a leaf certificate for the host that the connection claimed. */
export class Terminator {
  readonly #leaf: TransportOptions["leaf"];
  readonly #watchdog: Watchdog;
  /** By host, the one used last at the end. */
  readonly #identities = new Map<string, Promise<SecureContext>>();

  constructor(leaf: TransportOptions["leaf"], watchdog: Watchdog) {
    this.#leaf = leaf;
    this.#watchdog = watchdog;
  }

  /** Prepares for connections to `host`. Rejects when there is no certificate for it. */
  prepare(host: string): Promise<SecureContext> {
    let identity = this.#identities.get(host);
    if (identity === undefined) {
      identity = this.#create(host);
      identity.catch(() => this.#identities.delete(host));
      if (this.#identities.size >= MAX_HOSTS) {
        this.#identities.delete(this.#identities.keys().next().value!);
      }
    } else {
      this.#identities.delete(host);
    }
    this.#identities.set(host, identity);
    return identity;
  }

  /** Starts TLS on a connection from which the ClientHello is still to be read. */
  terminate(secureContext: SecureContext, connection: Duplex, handler: HandshakeHandler): void {
    const options = { secureContext, handshakeMs: HANDSHAKE_MS };
    startTls(connection, options, this.#watchdog, handler);
  }

  async #create(host: string): Promise<SecureContext> {
    const { certPem, keyPem } = await this.#leaf(host);
    return createSecureContext({ cert: certPem, key: keyPem });
  }
}
