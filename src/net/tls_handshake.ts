import type { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import type { Watchdog } from "./watchdog.ts";

/** Who takes a connection once its handshake is over, one way or the other. */
export interface HandshakeHandler {
  secure(socket: TLSSocket): void;
  failed(error: Error): void;
}

/** Options of {@linkcode startTls}. */
export interface HandshakeOptions {
  readonly secureContext: SecureContext;
  /** How long the handshake may take, in milliseconds. */
  readonly handshakeMs: number;
  /**
   * Asks for a certificate. Whoever shows one has its key; whatever else is to be said of it
   * is for the handler to find out.
   * @default {false}
   */
  readonly requestCert?: boolean;
}

/** The connection ended before its handshake was over. */
export class HandshakeEnded extends Error {
  override readonly name = "HandshakeEnded";
}

/** Starts TLS, as its server, on a connection from which the ClientHello is still to be read. */
export function startTls(
  connection: Duplex,
  { secureContext, handshakeMs, requestCert = false }: HandshakeOptions,
  watchdog: Watchdog,
  handler: HandshakeHandler,
): void {
  const socket = new TLSSocket(connection, {
    isServer: true,
    secureContext,
    ALPNProtocols: ["h2", "http/1.1"],
    requestCert,
    rejectUnauthorized: false,
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
  const watch = watchdog.watch(handshakeMs, () => fail(new Error("it took too long")));
  const ended = () => fail(new HandshakeEnded("the connection ended"));
  connection.once("end", ended);
  connection.once("close", ended);
  // Stays: later errors are told to whoever reads then, and must not be fatal.
  socket.on("error", fail);
  socket.once("secure", () => {
    if (settle()) handler.secure(socket);
  });
}
