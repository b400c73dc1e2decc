import { acceptEach } from "../net/accept.ts";
import { closeQuietly } from "../net/close_quietly.ts";
import type { ControlTarget } from "./control.ts";
import type { ControlConnections } from "./control_connections.ts";
import { SESSION_SLOTS } from "./socket_pool.ts";

/** A connection for each session, and some to ask with. */
const MOST_CONNECTIONS = SESSION_SLOTS + 64;

/**
 * Listens for the control API on a unix socket. Costs a start next to nothing: what answers is
 * loaded when somebody connects for the first time, as with the Sidecar of a single run nobody does.
 */
export class ControlServer {
  readonly path: string;
  readonly #target: ControlTarget;
  readonly #listener: Deno.UnixListener;
  readonly #accepting: Promise<void>;
  #open = 0;
  #closing: Promise<void> | undefined;
  #connections: Promise<ControlConnections> | undefined;

  private constructor(target: ControlTarget, path: string, listener: Deno.UnixListener) {
    this.path = path;
    this.#target = target;
    this.#listener = listener;
    // Not Deno.serve(): that ends for good when too many files are open for a moment.
    this.#accepting = acceptEach(listener, (conn) => void this.#serve(conn));
  }

  /** Listens on `path`, for this user alone (mode 0600). */
  static async open(target: ControlTarget, path: string): Promise<ControlServer> {
    const listener = Deno.listen({ transport: "unix", path });
    await Deno.chmod(path, 0o600);
    return new ControlServer(target, path, listener);
  }

  /** Stops to listen, ends the streams of all sessions, and finishes what is being answered. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Deno.remove(this.path).catch(() => {}); // the next one could not listen there
    await (await this.#connections)?.close();
  }

  async #serve(conn: Deno.UnixConn): Promise<void> {
    if (this.#open >= MOST_CONNECTIONS) return closeQuietly(conn);
    this.#open++;
    try {
      await (await (this.#connections ??= this.#load())).serve(conn);
    } catch {
      this.#connections = undefined;
      closeQuietly(conn);
    } finally {
      this.#open--;
    }
  }

  async #load(): Promise<ControlConnections> {
    const { ControlConnections } = await import("./control_connections.ts");
    return new ControlConnections(this.#target);
  }
}
