import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { TransportOptions } from "./transport_options.ts";
import type { Watchdog } from "../../net/watchdog.ts";

/** Hosts whose certificates are kept. */
const MAX_HOSTS = 512;
const HANDSHAKE_MS = 15_000;

/** Who takes a connection once its TLS is terminated. */
export interface TerminationHandler {
  secure(socket: TLSSocket): void;
  failed(error: Error): void;
}

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
  terminate(identity: SecureContext, connection: Duplex, handler: TerminationHandler): void {
    const socket = new TLSSocket(connection, {
      isServer: true,
      secureContext: identity,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      watch.clear();
      return settled = true;
    };
    const fail = (error: Error) => {
      if (!settle()) return;
      handler.failed(error);
      socket.destroy();
    };
    const watch = this.#watchdog.watch(HANDSHAKE_MS, () => fail(new Error("it took too long")));
    const ended = () => fail(new Error("the connection ended"));
    connection.once("end", ended);
    connection.once("close", ended);
    // Stays: later errors are told to whoever reads then, and must not be fatal.
    socket.on("error", fail);
    socket.once("secure", () => {
      if (settle()) handler.secure(socket);
    });
  }

  async #create(host: string): Promise<SecureContext> {
    const { certPem, keyPem } = await this.#leaf(host);
    return createSecureContext({ cert: certPem, key: keyPem });
  }
}
