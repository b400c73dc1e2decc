import { AgentConnection } from "./agent_connection.ts";
import { NO_CREDENTIALS } from "../credentials/call_credentials.ts";
import type { Duplex } from "node:stream";
import { ConnSocket } from "../../net/conn_socket.ts";
import { Connector } from "./connector.ts";
import type { Peer, Refusal, SecretPrograms } from "../gate.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";
import type { ProxySecret } from "./proxy_credentials.ts";
import type { ProxyHeader } from "./proxy_protocol.ts";
import { ProxyDoor, type Visitor } from "./proxy_door.ts";
import type { Services } from "./services.ts";
import { Tasks } from "../../net/tasks.ts";
import { Terminator } from "./terminator.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type TransportOptions } from "./transport_options.ts";
import { Watchdog } from "../../net/watchdog.ts";

/** What a {@linkcode CallTransport} needs. */
export type CallOptions = Omit<TransportOptions, "executions">;

interface Session {
  readonly connections: Set<AgentConnection>;
  /** What is being done for its connections. */
  readonly tasks: Tasks;
  /**
   * With a connector of its own: agents share no connection to an upstream, where one that reads
   * nothing would hold up the others, and where an upstream could take one for the other.
   */
  readonly services: Services;
}

/** How long the last bytes of answers may take when a session ends, in milliseconds. */
const HAND_OVER_MS = 2_000;
const HAND_OVER_LOOK_MS = 5;

/** Without an answer, a stub shows nothing. */
const NO_PROGRAMS: SecretPrograms = {
  serve: (_sessionId, _store, { socket }) => {
    socket.destroy();
    return Promise.resolve();
  },
};

/** The part of a transport that carries calls, on connections that others have accepted. */
export class CallTransport {
  readonly #services: Omit<Services, "connector">;
  readonly #sessions = new Map<string, Session>();
  readonly #door: ProxyDoor;

  constructor(options: CallOptions) {
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const shortest = Math.min(...Object.values(timeouts));
    const watchdog = new Watchdog(Math.max(10, Math.min(250, shortest / 4)));
    this.#services = {
      gate: options.gate,
      credentials: options.credentials ?? NO_CREDENTIALS,
      secretPrograms: options.secretPrograms ?? NO_PROGRAMS,
      terminator: new Terminator(options.leaf, watchdog),
      watchdog,
      timeouts,
      limits,
    };
    this.#door = new ProxyDoor({
      services: this.#services,
      welcome: (visitor) => this.#welcome(visitor),
    });
  }

  /**
   * Serves a connection of a session, whose PROXY header has been read and `unread` behind it.
   * Resolves when it is closed; never rejects.
   */
  async serve(
    sessionId: string,
    conn: Deno.Conn,
    header: ProxyHeader,
    unread: Uint8Array,
  ): Promise<void> {
    let session = this.#sessions.get(sessionId);
    if (session === undefined) this.#sessions.set(sessionId, session = this.#newSession());
    const socket = new ConnSocket(conn);
    if (unread.length > 0) socket.unshift(unread);
    await this.#serve(sessionId, session, socket, { header });
  }

  /** Records a connection that was refused before it was any. */
  refuse(peer: Peer, what: Refusal): void {
    this.#services.gate.refuse(peer, what);
  }

  /**
   * Takes the connections of a session that come to `address` with its secret; says where that is,
   * should any port do. Rejects when it cannot listen there.
   */
  async admitSession(
    sessionId: string,
    secret: ProxySecret,
    address: HostAndPort,
  ): Promise<HostAndPort> {
    this.#mustBeNew(sessionId);
    this.#sessions.set(sessionId, this.#newSession());
    try {
      return await this.#door.add(sessionId, secret, address);
    } catch (error) {
      this.#sessions.delete(sessionId);
      throw error;
    }
  }

  #mustBeNew(sessionId: string): void {
    if (!this.#sessions.has(sessionId)) return;
    throw new Error(`Cannot open session "${sessionId}": it is open already`);
  }

  #newSession(): Session {
    const { watchdog, timeouts, limits } = this.#services;
    const services = { ...this.#services, connector: new Connector(watchdog, timeouts, limits) };
    return { connections: new Set(), tasks: new Tasks(), services };
  }

  #welcome(visitor: Visitor): void {
    const { sessionId, reader } = visitor;
    const session = this.#sessions.get(sessionId);
    const mayCome = session !== undefined &&
      session.connections.size < session.services.limits.connectionsPerSession;
    if (mayCome) void this.#serve(sessionId, session, reader.socket, { visitor });
    else reader.socket.destroy();
  }

  #serve(
    sessionId: string,
    { connections, tasks, services }: Session,
    socket: Duplex,
    from: { readonly header: ProxyHeader } | { readonly visitor: Visitor },
  ): Promise<void> {
    const connection = new AgentConnection(socket, sessionId, services, tasks, from);
    connections.add(connection);
    const closed = new Promise<void>((resolve) =>
      socket.once("close", () => {
        connections.delete(connection);
        resolve();
      })
    );
    tasks.add(closed);
    tasks.add(connection.run());
    return closed;
  }

  /** Breaks off what the session has open. Resolves when the gate has heard how every call ended. */
  async closeSession(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    this.#door.remove(sessionId);
    await handedOver(session.connections);
    for (const connection of session.connections) connection.close();
    await session.tasks.done();
    await session.services.connector.close();
  }

  /** Closes all sessions and all connections to upstreams. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.closeSession(id)));
    this.#services.watchdog.close();
  }
}

/**
 * Waits until agents have what they were answered. A call is over for the Sidecar once nothing of
 * it is left to decide; its last bytes may still wait for a slow reader.
 */
async function handedOver(connections: ReadonlySet<AgentConnection>): Promise<void> {
  const until = performance.now() + HAND_OVER_MS;
  while (connections.values().some(({ hasUnsent }) => hasUnsent) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, HAND_OVER_LOOK_MS));
  }
}
