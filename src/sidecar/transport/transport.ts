/**
 * The transport of the data plane: moves bytes between agents and upstreams and asks the
 * {@linkcode Gate} about every call. It knows no policy; see `gate.ts` for the seam.
 */
import { AgentConnection } from "./agent_connection.ts";
import { NO_CREDENTIALS } from "../credentials/call_credentials.ts";
import { dirname } from "../../core/path.ts";
import type { Duplex } from "node:stream";
import { ConnSocket } from "../../net/conn_socket.ts";
import { Connector } from "./connector.ts";
import type { Executions } from "../gate.ts";
import { acceptEach } from "../../net/accept.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import type { ProxySecret } from "./proxy_credentials.ts";
import { ProxyDoor, type Visitor } from "./proxy_door.ts";
import type { Services } from "./services.ts";
import { Tasks } from "../../net/tasks.ts";
import { Terminator } from "./terminator.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type TransportOptions } from "./transport_options.ts";
import { Watchdog } from "../../net/watchdog.ts";

export type { Limits, Timeouts, TransportOptions } from "./transport_options.ts";

/** The running transport. */
export interface Transport {
  /**
   * Listens for the connections of a session on a unix socket; a stale socket file there is
   * replaced. Rejects when it cannot listen.
   */
  openSession(sessionId: string, frontSocketPath: string): Promise<void>;
  /**
   * Takes the connections of a session that come to `address` with its secret; says where that is,
   * should any port do. Rejects when it cannot listen there.
   */
  admitSession(
    sessionId: string,
    secret: ProxySecret,
    address: HostAndPort,
  ): Promise<HostAndPort>;
  /**
   * Stops listening for it, breaks off what the session has open, and removes its socket. Resolves when
   * the gate has heard the outcome of every call.
   */
  closeSession(sessionId: string): Promise<void>;
  /** Closes all sessions and all connections to upstreams. */
  close(): Promise<void>;
}

interface Session {
  /** Of a session with a socket of its own. */
  readonly listener?: Deno.UnixListener;
  readonly path?: string;
  readonly connections: Set<AgentConnection>;
  /** What is being done for its connections. */
  readonly tasks: Tasks;
  /**
   * With a connector of its own: agents share no connection to an upstream, where one that reads
   * nothing would hold up the others, and where an upstream could take one for the other.
   */
  readonly services: Services;
}

/** Starts the transport. It listens nowhere until a session is opened. */
export function startTransport(options: TransportOptions): Promise<Transport> {
  return Promise.resolve(new RunningTransport(options));
}

/** How long the last bytes of answers may take when a session ends, in milliseconds. */
const HAND_OVER_MS = 2_000;
const HAND_OVER_LOOK_MS = 5;

/** Without an answer, nothing is executed. */
const NO_EXECUTIONS: Executions = {
  serve: (_, { socket }) => {
    socket.destroy();
    return Promise.resolve();
  },
};

class RunningTransport implements Transport {
  readonly #services: Omit<Services, "connector">;
  readonly #sessions = new Map<string, Session>();
  readonly #door: ProxyDoor;

  constructor(options: TransportOptions) {
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const shortest = Math.min(...Object.values(timeouts));
    const watchdog = new Watchdog(Math.max(10, Math.min(250, shortest / 4)));
    this.#services = {
      gate: options.gate,
      credentials: options.credentials ?? NO_CREDENTIALS,
      executions: options.executions ?? NO_EXECUTIONS,
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

  async openSession(sessionId: string, frontSocketPath: string): Promise<void> {
    this.#mustBeNew(sessionId);
    await removeIfPresent(frontSocketPath);
    const path = frontSocketPath;
    const listener = Deno.listen({ transport: "unix", path });
    const { services, ...rest } = this.#newSession();
    const session: Session = {
      ...rest,
      services: { ...services, socketDirectory: dirname(path) },
      listener,
      path,
    };
    this.#sessions.set(sessionId, session);
    session.tasks.add(acceptEach(listener, (conn) => {
      const isFull = session.connections.size >= session.services.limits.connectionsPerSession;
      if (isFull) closeQuietly(conn);
      else this.#serve(sessionId, session, new ConnSocket(conn));
    }));
  }

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
    if (mayCome) this.#serve(sessionId, session, reader.socket, visitor);
    else reader.socket.destroy();
  }

  #serve(
    sessionId: string,
    { connections, tasks, services }: Session,
    socket: Duplex,
    visitor?: Visitor,
  ): void {
    const connection = new AgentConnection(socket, sessionId, services, tasks, visitor);
    connections.add(connection);
    tasks.add(
      new Promise((resolve) =>
        socket.once("close", () => {
          connections.delete(connection);
          resolve();
        })
      ),
    );
    tasks.add(connection.run());
  }

  async closeSession(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    session.listener?.close();
    this.#door.remove(sessionId);
    await handedOver(session.connections);
    for (const connection of session.connections) connection.close();
    await session.tasks.done();
    await session.services.connector.close();
    if (session.path !== undefined) await removeIfPresent(session.path);
  }

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

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
