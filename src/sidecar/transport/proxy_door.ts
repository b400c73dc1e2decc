/**
 * The proxy for agents without a sandbox: one TCP port on loopback that sessions share. A page in
 * a browser reaches it, and so does every user of this machine; so nothing happens here, not even
 * a record, before a request has said by its `Proxy-Authorization` which session it is of.
 */
import type { Provenance } from "../../core/envelope.ts";
import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { ConnSocket } from "../../net/conn_socket.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";
import { parseRequestHead, type RequestHead } from "../../net/http1/head.ts";
import { linger } from "../../net/linger.ts";
import { SocketReader } from "../../net/socket_reader.ts";
import { formatChallenge, type Unidentified } from "./proxy_challenge.ts";
import { type Identified, ProxyCredentials, type ProxySecret } from "./proxy_credentials.ts";
import type { Services } from "./services.ts";

/** A connection whose first request is of a session; nothing of it is consumed. */
export interface Visitor {
  readonly sessionId: string;
  readonly reader: SocketReader;
  readonly provenance: Provenance;
  /** Whether another request of the connection is of the same session, and else why not. */
  readonly identify: (fields: FieldList) => Unidentified | undefined;
}

/** What a door needs. */
export interface DoorOptions {
  readonly services: Pick<Services, "gate" | "watchdog" | "timeouts" | "limits">;
  /** Serves a visitor. */
  readonly welcome: (visitor: Visitor) => void;
}

/** Connections that have not said yet whose they are; the oldest gives way to one more. */
const MOST_WAITING = 256;
/** How long the port may be taken by the data plane that ended, in milliseconds. */
const PATIENCE_MS = 2_000;
const RETRY_MS = 50;

/** Listens as long as there is a session to listen for. */
export class ProxyDoor {
  readonly #options: DoorOptions;
  readonly #credentials = new ProxyCredentials();
  readonly #waiting = new Set<ConnSocket>();
  #listener: Promise<Deno.TcpListener> | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Lets a session in, and says where. Rejects when the address cannot be had. */
  async add(sessionId: string, secret: ProxySecret, address: HostAndPort): Promise<HostAndPort> {
    this.#listener ??= this.#listen(address);
    this.#credentials.add(sessionId, secret);
    try {
      const { addr } = await this.#listener;
      return { host: addr.hostname, port: addr.port };
    } catch (error) {
      this.remove(sessionId);
      throw error;
    }
  }

  /** Lets a session in no longer. */
  remove(sessionId: string): void {
    this.#credentials.remove(sessionId);
    if (this.#credentials.size > 0) return;
    this.#listener?.then(closeQuietly, () => {});
    this.#listener = undefined;
    for (const socket of this.#waiting) socket.destroy();
  }

  async #listen({ host: hostname, port }: HostAndPort): Promise<Deno.TcpListener> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const listener = Deno.listen({ hostname, port });
        void acceptEach(listener, (conn) => void this.#receive(conn));
        return listener;
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse) || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Never rejects. */
  async #receive(conn: Deno.TcpConn): Promise<void> {
    const { limits } = this.#options.services;
    const { hostname, port } = conn.remoteAddr;
    const socket = new ConnSocket(conn);
    socket.on("error", () => {});
    if (this.#waiting.size >= MOST_WAITING) this.#waiting.values().next().value!.destroy();
    this.#waiting.add(socket);
    try {
      conn.setNoDelay(true);
      const reader = new SocketReader(socket, undefined, limits.bufferedBytes);
      const head = await this.#firstHead(reader);
      if (head === undefined) return void socket.destroy();
      const provenance = { via: "proxy", address: `${hostname}:${port}` } as const;
      await this.#admit(reader, head, provenance);
    } catch {
      socket.destroy();
    } finally {
      this.#waiting.delete(socket);
    }
  }

  /** The head of the first request, which stays where it is; `undefined`: it is none, or late. */
  async #firstHead(reader: SocketReader): Promise<RequestHead | undefined> {
    const { watchdog, timeouts, limits } = this.#options.services;
    const watch = watchdog.watch(timeouts.headMs, () => void reader.socket.destroy());
    try {
      for (;;) {
        const reading = parseRequestHead(reader.buffered, limits.headBytes);
        if (reading.kind === "head") return reading.head;
        if (reading.kind === "bad" || !(await reader.fill())) return undefined;
      }
    } finally {
      watch.clear();
    }
  }

  async #admit(reader: SocketReader, head: RequestHead, provenance: Provenance): Promise<void> {
    const { services, welcome } = this.#options;
    const identified = this.#credentials.identify(head.fields);
    if (identified.kind === "session") {
      const { sessionId } = identified;
      const identify = (fields: FieldList) => this.#identify(sessionId, fields, provenance);
      return welcome({ sessionId, reader, provenance, identify });
    }
    this.#record(identified, provenance);
    reader.socket.write(formatChallenge(identified.kind));
    await linger(reader, services.watchdog);
  }

  #identify(
    sessionId: string,
    fields: FieldList,
    provenance: Provenance,
  ): Unidentified | undefined {
    const identified = this.#credentials.identify(fields);
    if (identified.kind !== "session") {
      this.#record(identified, provenance);
      return identified.kind;
    }
    if (identified.sessionId === sessionId) return undefined;
    this.#options.services.gate.refuse({ sessionId, provenance }, {
      resource: "",
      detail: "a request of another session on a connection of this one",
      reason: "TenantMismatch",
    });
    return "wrong";
  }

  /** A wrong secret is worth a record, for no session: whose name it came with did not do it. */
  #record(identified: Identified, provenance: Provenance): void {
    if (identified.kind !== "wrong") return;
    this.#options.services.gate.refuse({ sessionId: "", provenance }, {
      resource: "",
      detail: `proxy authentication failed for "${identified.name}"`,
      reason: "TokenInvalid",
    });
  }
}
