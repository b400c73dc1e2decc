import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { TransportOptions } from "./transport_options.ts";

/** Hosts whose certificates are kept. */
const MAX_HOSTS = 512;
const HANDSHAKE_MS = 15_000;

/** Who takes a connection once its TLS is terminated. */
export interface TerminationHandler {
  secure(socket: TLSSocket): void;
  failed(error: Error): void;
}

/** A TLS socket knows the connection below it; `node:tls` keeps it private. */
type Wrapping = TLSSocket & { readonly _parent?: Socket };

/**
 * Terminates TLS with a leaf certificate for the host that the connection claimed. One
 * `node:tls` server a host, which never listens: it is handed connections that a session's
 * listener accepted. That is twice as fast as piping them into a second socket.
 */
export class Terminator {
  readonly #leaf: TransportOptions["leaf"];
  /** By host, the one used last at the end. */
  readonly #servers = new Map<string, Promise<Server>>();
  readonly #handlers = new WeakMap<Socket, TerminationHandler>();

  constructor(leaf: TransportOptions["leaf"]) {
    this.#leaf = leaf;
  }

  /** Prepares for connections to `host`. Rejects when there is no certificate for it. */
  prepare(host: string): Promise<Server> {
    let server = this.#servers.get(host);
    if (server === undefined) {
      server = this.#create(host);
      server.catch(() => this.#servers.delete(host));
      if (this.#servers.size >= MAX_HOSTS) {
        this.#servers.delete(this.#servers.keys().next().value!);
      }
    } else {
      this.#servers.delete(host);
    }
    this.#servers.set(host, server);
    return server;
  }

  /** Starts TLS on a connection from which the ClientHello is still to be read. */
  terminate(server: Server, connection: Socket, handler: TerminationHandler): void {
    this.#handlers.set(connection, handler);
    server.emit("connection", connection);
  }

  async #create(host: string): Promise<Server> {
    const { certPem, keyPem } = await this.#leaf(host);
    const server = createServer({
      cert: certPem,
      key: keyPem,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on("secureConnection", (socket: Wrapping) => {
      const handler = socket._parent && this.#handlers.get(socket._parent);
      // Without its claim a connection cannot be judged.
      if (handler === undefined) socket.destroy();
      else handler.secure(socket);
    });
    server.on("tlsClientError", (error: Error, socket: Wrapping) => {
      const handler = socket._parent && this.#handlers.get(socket._parent);
      handler?.failed(error);
      socket.destroy();
    });
    return server;
  }
}
