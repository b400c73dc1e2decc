import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { listenAddressText } from "../../config/listen_address.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { ConnSocket } from "../../net/conn_socket.ts";
import { HandshakeEnded, startTls } from "../../net/tls_handshake.ts";
import type { Watchdog } from "../../net/watchdog.ts";
import { FileWatch } from "../file_watch.ts";
import { type Guest, Guests } from "./guests.ts";
import { readPeer } from "./peer.ts";
import type { RefusalLog } from "./refusal_log.ts";
import type { Report } from "./service.ts";
import { readTlsMaterial, type TlsFiles, type TlsMaterial } from "./tls_files.ts";
import type { Listener } from "./unix_listener.ts";

export type { TlsFiles } from "./tls_files.ts";

/** Options of {@linkcode TlsListener.start}. */
export interface TlsListenerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tls: TlsFiles;
  readonly watchdog: Watchdog;
  readonly refusals: RefusalLog;
  readonly report: Report;
  /** Serves a client that was let in; `below` is what its socket reads from. */
  readonly take: (guest: Guest, socket: TLSSocket, below: ConnSocket) => void;
}

/** A connection whose handshake is under way. */
interface Arrival {
  readonly from: string;
  readonly below: ConnSocket;
}

/** How often connections that last are judged again, in milliseconds. */
const REVIEW_MS = 10_000;
/**
 * A client that cannot finish its handshake in this time goes, in milliseconds. When all of them
 * come at once, it is this side that takes its time.
 */
const HANDSHAKE_MS = 30_000;
/** Handshakes under way. Whoever comes then takes the place of who has been at it longest. */
const MOST_ARRIVALS = 1_024;
/** Connections that wait until they are accepted: a restart brings all clients at once. */
const BACKLOG = 4_096;

/**
 * Listens on TCP with mutual TLS, HTTP/2 and HTTP/1.1. Only clients on the list
 * are let in, and only as long as they are on it: files that change are read
 * again, and every connection is judged by them.
 */
export class TlsListener implements Listener {
  readonly address: string;
  readonly #options: TlsListenerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;
  readonly #arrivals = new Set<Arrival>();
  readonly #guests = new Guests();
  readonly #watch: FileWatch;
  readonly #review: ReturnType<typeof setInterval>;
  #material: TlsMaterial;
  #context: SecureContext;

  private constructor(
    options: TlsListenerOptions,
    listener: Deno.TcpListener,
    material: TlsMaterial,
  ) {
    this.#options = options;
    this.#listener = listener;
    this.#material = material;
    this.#context = contextOf(material);
    const { port } = listener.addr;
    this.address = listenAddressText({ kind: "tcp", hostname: options.hostname, port });
    this.#accepting = acceptEach(listener, (conn) => this.#take(conn));
    this.#watch = FileWatch.start(Object.values(options.tls), () => this.#reload());
    this.#review = setInterval(() => this.#reviewAll(), REVIEW_MS);
  }

  /** Starts to listen. Fails with everything that is wrong with the files. */
  static async start(
    options: TlsListenerOptions,
  ): Promise<Result<TlsListener, readonly FirmaError[]>> {
    const { tls, hostname, port } = options;
    const material = await readTlsMaterial(tls, Date.now());
    if (!material.ok) return material;
    let listener: Deno.TcpListener;
    try {
      listener = Deno.listen({ hostname, port, tcpBacklog: BACKLOG });
    } catch (cause) {
      const address = listenAddressText({ kind: "tcp", hostname, port });
      const reason = cause instanceof Error ? cause.message : String(cause);
      return err([{
        code: "LISTEN_FAILED",
        message: `Cannot listen on "${address}": ${reason}`,
        cause,
      }]);
    }
    return ok(new TlsListener(options, listener, material.value));
  }

  async close(): Promise<void> {
    clearInterval(this.#review);
    closeQuietly(this.#listener);
    for (const { below } of this.#arrivals) below.destroy();
    await this.#watch.close();
    await this.#accepting;
    this.#options.refusals.flush();
  }

  #take(conn: Deno.TcpConn): void {
    const { refusals, watchdog } = this.#options;
    const { hostname, port } = conn.remoteAddr;
    const from = listenAddressText({ kind: "tcp", hostname, port });
    try {
      conn.setNoDelay();
      conn.setKeepAlive();
    } catch {
      return closeQuietly(conn); // it is gone already
    }
    const below = new ConnSocket(conn);
    below.on("error", () => {});
    const arrival = { from, below };
    this.#makeRoom();
    this.#arrivals.add(arrival);
    const options = {
      secureContext: this.#context,
      handshakeMs: HANDSHAKE_MS,
      requestCert: true,
    };
    startTls(below, options, watchdog, {
      secure: (socket) => {
        this.#arrivals.delete(arrival);
        socket.once("close", () => below.destroy());
        this.#admit(arrival, socket);
      },
      failed: (error) => {
        // Whoever hangs up before it said anything was not refused.
        if (this.#arrivals.delete(arrival) && !(error instanceof HandshakeEnded)) {
          refusals.add(`Refused a client at ${from}: no handshake of TLS: ${error.message}`);
        }
        below.destroy();
      },
    });
  }

  #makeRoom(): void {
    if (this.#arrivals.size < MOST_ARRIVALS) return;
    for (const oldest of this.#arrivals) {
      this.#arrivals.delete(oldest);
      const { from, below } = oldest;
      this.#options.refusals.add(`Refused a client at ${from}: too many are connecting`);
      below.destroy();
      return;
    }
  }

  #admit({ from, below }: Arrival, socket: TLSSocket): void {
    const peer = readPeer(socket);
    // Every connection is judged here, so that each refusal has its reason in the log.
    const admitted = peer.ok
      ? this.#guests.admit({ from, peer: peer.value, socket }, this.#material, Date.now())
      : peer;
    if (admitted.ok) return this.#options.take(admitted.value, socket, below);
    this.#options.refusals.add(`Refused a client at ${from}: ${admitted.error}`);
    socket.destroy();
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
      this.#context = contextOf(next);
      report("info", "New certificates are in force");
    }
    report("info", `The list of clients has ${next.allowList.authorized.length} entries`);
    this.#reviewAll();
  }

  #reviewAll(): void {
    const { refusals } = this.#options;
    this.#guests.review(this.#material, Date.now(), ({ from }, reason) => {
      refusals.add(`Disconnected a client at ${from}: ${reason}`);
    });
    refusals.flush();
  }
}

function contextOf({ cert, key, clientCa }: TlsMaterial): SecureContext {
  return createSecureContext({ cert, key, ca: clientCa, minVersion: "TLSv1.3" });
}
