/**
 * The transport of the data plane: moves bytes between agents and upstreams and asks the
 * {@linkcode Gate} about every call. It knows no policy; see `gate.ts` for the seam.
 */
import { createServer, type Server } from "node:net";
import { AgentConnection } from "./agent_connection.ts";
import { Connector } from "./connector.ts";
import type { Services } from "./services.ts";
import { Tasks } from "./tasks.ts";
import { Terminator } from "./terminator.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type TransportOptions } from "./transport_options.ts";
import { Watchdog } from "./watchdog.ts";

export type { Limits, Timeouts, TransportOptions } from "./transport_options.ts";

/** The running transport. */
export interface Transport {
  /**
   * Listens for the connections of a session on a unix socket; a stale socket file there is
   * replaced. Rejects when it cannot listen.
   */
  openSession(sessionId: string, frontSocketPath: string): Promise<void>;
  /**
   * Stops listening, breaks off what the session has open, and removes its socket. Resolves when
   * the gate has heard the outcome of every call.
   */
  closeSession(sessionId: string): Promise<void>;
  /** Closes all sessions and all connections to upstreams. */
  close(): Promise<void>;
}

interface Session {
  readonly server: Server;
  readonly path: string;
  readonly connections: Set<AgentConnection>;
  /** What is being done for its connections. */
  readonly tasks: Tasks;
}

/** Starts the transport. It listens nowhere until a session is opened. */
export function startTransport(options: TransportOptions): Promise<Transport> {
  return Promise.resolve(new RunningTransport(options));
}

class RunningTransport implements Transport {
  readonly #services: Services;
  readonly #sessions = new Map<string, Session>();

  constructor(options: TransportOptions) {
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const shortest = Math.min(...Object.values(timeouts));
    const watchdog = new Watchdog(Math.max(10, Math.min(250, shortest / 4)));
    this.#services = {
      gate: options.gate,
      connector: new Connector(watchdog, timeouts, limits),
      terminator: new Terminator(options.leaf),
      watchdog,
      timeouts,
      limits,
    };
  }

  async openSession(sessionId: string, frontSocketPath: string): Promise<void> {
    if (this.#sessions.has(sessionId)) {
      throw new Error(`Cannot open session "${sessionId}": it is open already`);
    }
    await removeIfPresent(frontSocketPath);
    const connections = new Set<AgentConnection>();
    const tasks = new Tasks();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      if (connections.size >= this.#services.limits.connectionsPerSession) {
        socket.destroy();
        return;
      }
      const connection = new AgentConnection(socket, sessionId, this.#services, tasks);
      connections.add(connection);
      socket.once("close", () => connections.delete(connection));
      tasks.add(connection.run());
    });
    this.#sessions.set(sessionId, { server, path: frontSocketPath, connections, tasks });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(frontSocketPath, resolve);
    }).catch((error) => {
      this.#sessions.delete(sessionId);
      throw error;
    });
  }

  async closeSession(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    const closed = new Promise<void>((resolve) => session.server.close(() => resolve()));
    for (const connection of session.connections) connection.close();
    await closed;
    await session.tasks.done();
    await removeIfPresent(session.path);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.closeSession(id)));
    await this.#services.connector.close();
    this.#services.watchdog.close();
  }
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
