import http2 from "node:http2";
import type { Http2SecureServer, Http2ServerRequest } from "node:http2";
import type { TLSSocket } from "node:tls";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { FileWatch } from "../file_watch.ts";
import type { Client } from "./client.ts";
import { listenAddressText } from "../../config/listen_address.ts";
import { judgePeer } from "./peer.ts";
import type { Report } from "./service.ts";
import { readTlsMaterial, type TlsFiles, type TlsMaterial } from "./tls_files.ts";
import { closed, type Listener, listening, type RequestHandler } from "./unix_listener.ts";
import { trackSessions } from "./unix_listener.ts";

export type { TlsFiles } from "./tls_files.ts";

/** Options of {@linkcode TlsListener.start}. */
export interface TlsListenerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tls: TlsFiles;
  readonly settings: http2.ServerOptions;
  readonly handler: (
    clientOf: (request: Http2ServerRequest) => Client | undefined,
  ) => RequestHandler;
  readonly report: Report;
}

/** How often connections that last are judged again, in milliseconds. */
const REVIEW_MS = 10_000;
/** A client that cannot finish its handshake in this time goes, in milliseconds. */
const HANDSHAKE_MS = 10_000;

/**
 * Listens on TCP with mutual TLS, HTTP/2 and HTTP/1.1. Only clients on the list
 * are let in, and only as long as they are on it: files that change are read
 * again, and every connection is judged by them.
 */
export class TlsListener implements Listener {
  readonly address: string;
  readonly #server: Http2SecureServer;
  readonly #options: TlsListenerOptions;
  readonly #sessions: ReturnType<typeof trackSessions>;
  readonly #sockets: Set<TLSSocket>;
  readonly #known: KnownConnections;
  readonly #watch: FileWatch;
  readonly #review: ReturnType<typeof setInterval>;
  #material: TlsMaterial;

  private constructor(options: TlsListenerOptions, material: TlsMaterial, parts: Parts) {
    this.#options = options;
    this.#material = material;
    this.#server = parts.server;
    this.#sessions = parts.sessions;
    this.#sockets = parts.sockets;
    this.#known = parts.known;
    const bound = parts.server.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : options.port;
    this.address = listenAddressText({ kind: "tcp", hostname: options.hostname, port });
    this.#watch = FileWatch.start(Object.values(options.tls), () => this.#reload());
    this.#review = setInterval(() => this.#reviewAll(), REVIEW_MS);
  }

  /** Starts to listen. Fails with everything that is wrong with the files. */
  static async start(
    options: TlsListenerOptions,
  ): Promise<Result<TlsListener, readonly FirmaError[]>> {
    const { tls, settings, hostname, port } = options;
    const material = await readTlsMaterial(tls, Date.now());
    if (!material.ok) return material;
    let judge = (socket: TLSSocket) => judgePeer(socket, material.value, Date.now());
    const known = new KnownConnections((socket) => judge(socket));
    const server = http2.createSecureServer(
      {
        ...settings,
        ...contextOf(material.value),
        allowHTTP1: true,
        minVersion: "TLSv1.3",
        requestCert: true,
        // Every connection is judged here, so that each refusal has its reason in the log.
        rejectUnauthorized: false,
        handshakeTimeout: HANDSHAKE_MS,
      },
      options.handler((request) => known.clientOf(request)),
    );
    const sockets = new Set<TLSSocket>();
    // Before the server makes a session of it.
    server.prependListener("secureConnection", (socket: TLSSocket) => {
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      const peer = judge(socket);
      if (!peer.ok) {
        options.report("warn", `Refused a client at ${from}: ${peer.error}`);
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    server.on("tlsClientError", (error: Error & { readonly code?: string }) => {
      // Whoever hangs up before it said anything was not refused.
      if (error.code !== "ECONNRESET") {
        options.report("warn", `Refused a client that does not speak TLS: ${error.message}`);
      }
    });
    const sessions = trackSessions(server as unknown as http2.Http2Server);
    try {
      await listening(server as unknown as http2.Http2Server, () => server.listen(port, hostname));
    } catch (cause) {
      const address = listenAddressText({ kind: "tcp", hostname, port });
      const reason = cause instanceof Error ? cause.message : String(cause);
      return err([{
        code: "LISTEN_FAILED",
        message: `Cannot listen on "${address}": ${reason}`,
        cause,
      }]);
    }
    const listener = new TlsListener(options, material.value, {
      server,
      sessions,
      sockets,
      known,
    });
    judge = (socket) => judgePeer(socket, listener.#material, Date.now());
    return ok(listener);
  }

  async close(): Promise<void> {
    clearInterval(this.#review);
    await this.#watch.close();
    const end = closed(this.#server as unknown as http2.Http2Server, this.#sessions);
    for (const socket of this.#sockets) socket.destroy();
    await end;
  }

  async #reload(): Promise<void> {
    const { tls, report } = this.#options;
    const material = await readTlsMaterial(tls, Date.now());
    if (!material.ok) {
      for (const { message } of material.error) {
        report("error", `${message}; what was read before stays in force`);
      }
      return;
    }
    const { cert, key, clientCa } = this.#material;
    this.#material = material.value;
    const next = material.value;
    if (next.cert !== cert || next.key !== key || next.clientCa !== clientCa) {
      this.#server.setSecureContext({ ...contextOf(next) });
      report("info", "New certificates are in force");
    }
    report("info", `The list of clients has ${next.allowList.authorized.length} entries`);
    this.#reviewAll();
  }

  #reviewAll(): void {
    this.#known.forget();
    for (const socket of this.#sockets) {
      const peer = judgePeer(socket, this.#material, Date.now());
      if (peer.ok) continue;
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      this.#options.report("warn", `Disconnected a client at ${from}: ${peer.error}`);
      socket.destroy();
    }
  }
}

/** Who the connections of requests belong to: judging one takes longer than answering a request. */
class KnownConnections {
  readonly #judge: (socket: TLSSocket) => Result<Client, string>;
  #clients = new WeakMap<object, Client>();

  constructor(judge: (socket: TLSSocket) => Result<Client, string>) {
    this.#judge = judge;
  }

  clientOf(request: Http2ServerRequest): Client | undefined {
    const session = request.stream?.session;
    // The socket of HTTP/2 is wrapped anew each time that it is asked for; the session is not.
    const connection = session ?? request.socket;
    const known = this.#clients.get(connection);
    if (known !== undefined) return known;
    const peer = this.#judge((session?.socket ?? request.socket) as TLSSocket);
    if (!peer.ok) return undefined;
    this.#clients.set(connection, peer.value);
    return peer.value;
  }

  /** Has every connection judged again. */
  forget(): void {
    this.#clients = new WeakMap();
  }
}

interface Parts {
  readonly server: Http2SecureServer;
  readonly sessions: ReturnType<typeof trackSessions>;
  readonly sockets: Set<TLSSocket>;
  readonly known: KnownConnections;
}

function contextOf({ cert, key, clientCa }: TlsMaterial) {
  return { cert, key, ca: clientCa };
}
