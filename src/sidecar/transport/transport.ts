/**
 * The transport of the data plane: moves bytes between agents and upstreams and asks the
 * {@linkcode Gate} about every call. It knows no policy; see `gate.ts` for the seam. What carries
 * calls is loaded when the first one comes: the first program of an agent does not wait for it.
 */
import { dirname } from "../../core/path.ts";
import { Late } from "../../core/late.ts";
import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";
import { Tasks } from "../../net/tasks.ts";
import { ConnGateConnection } from "../exec/gate_connection.ts";
import type { Executions } from "../gate.ts";
import type { CallTransport } from "./call_transport.ts";
import type { ProxySecret } from "./proxy_credentials.ts";
import { readProxyHeader } from "./read_proxy_header.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type TransportOptions } from "./transport_options.ts";

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

/** What a transport needs that may load late what carries calls. */
export interface LateTransportOptions
  extends Pick<TransportOptions, "executions" | "timeouts" | "limits"> {
  readonly calls: Late<CallTransport>;
}

/** A session with a socket of its own. */
interface Session {
  readonly listener: Deno.UnixListener;
  readonly path: string;
  /** Connections that are of the execution gate, or have not said yet what they are. */
  readonly opening: Set<Deno.Conn>;
  /** All that are open. */
  connections: number;
  /** What is being done for its connections. */
  readonly tasks: Tasks;
}

/** Starts the transport. It listens nowhere until a session is opened. */
export function startTransport(options: TransportOptions): Promise<Transport> {
  const calls = new Late(async () => {
    const { CallTransport } = await import("./call_transport.ts");
    return new CallTransport(options);
  });
  return Promise.resolve(new LateTransport({ ...options, calls }));
}

/** Without an answer, nothing is executed. */
const NO_EXECUTIONS: Executions = {
  serve: (_, { socket }) => {
    socket.destroy();
    return Promise.resolve();
  },
};

/** A transport that accepts connections and serves the execution gate; calls are served by another. */
export class LateTransport implements Transport {
  readonly #executions: Executions;
  readonly #calls: Late<CallTransport>;
  readonly #headMs: number;
  readonly #mostConnections: number;
  readonly #sessions = new Map<string, Session>();

  constructor({ executions = NO_EXECUTIONS, calls, timeouts, limits }: LateTransportOptions) {
    this.#executions = executions;
    this.#calls = calls;
    this.#headMs = timeouts?.headMs ?? DEFAULT_TIMEOUTS.headMs;
    this.#mostConnections = limits?.connectionsPerSession ?? DEFAULT_LIMITS.connectionsPerSession;
  }

  async openSession(sessionId: string, path: string): Promise<void> {
    if (this.#sessions.has(sessionId)) {
      throw new Error(`Cannot open session "${sessionId}": it is open already`);
    }
    await removeIfPresent(path);
    const listener = Deno.listen({ transport: "unix", path });
    const session: Session = {
      listener,
      path,
      opening: new Set(),
      connections: 0,
      tasks: new Tasks(),
    };
    this.#sessions.set(sessionId, session);
    session.tasks.add(acceptEach(listener, (conn) => {
      if (session.connections >= this.#mostConnections) closeQuietly(conn);
      else session.tasks.add(this.#receive(sessionId, session, conn));
    }));
  }

  async admitSession(
    sessionId: string,
    secret: ProxySecret,
    address: HostAndPort,
  ): Promise<HostAndPort> {
    return await (await this.#calls.get()).admitSession(sessionId, secret, address);
  }

  async closeSession(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    this.#sessions.delete(sessionId);
    session?.listener.close();
    for (const conn of session?.opening ?? []) closeQuietly(conn);
    await this.#calls.value?.closeSession(sessionId);
    if (session === undefined) return;
    await session.tasks.done();
    await removeIfPresent(session.path);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.closeSession(id)));
    await this.#calls.value?.close();
  }

  /** Serves a connection to its end. Never rejects. */
  async #receive(sessionId: string, session: Session, conn: Deno.Conn): Promise<void> {
    const { opening } = session;
    session.connections++;
    opening.add(conn);
    try {
      const read = await readProxyHeader(conn, this.#headMs);
      if (read.kind === "bad") {
        closeQuietly(conn);
        if (!this.#sessions.has(sessionId)) return;
        const peer = { sessionId, provenance: { via: "proxy" } } as const;
        return (await this.#calls.get()).refuse(peer, { resource: "", detail: read.detail });
      }
      if (read.kind !== "header") return closeQuietly(conn); // opened and left: not worth an event
      const { header, unread } = read;
      if (header.provenance.via === "exec" && header.store === undefined) {
        const gate = new ConnGateConnection(conn, unread);
        return await this.#executions.serve(sessionId, gate, dirname(session.path));
      }
      const calls = await this.#calls.get();
      opening.delete(conn);
      // It may have been closed meanwhile, with its session.
      if (this.#sessions.get(sessionId) !== session) return closeQuietly(conn);
      await calls.serve(sessionId, conn, header, unread);
    } catch {
      closeQuietly(conn);
    } finally {
      opening.delete(conn);
      session.connections--;
    }
  }
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
