import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import type { Advise } from "./intercept.ts";
import type { DecisionServer } from "./serve.ts";

const MOST_CONNECTIONS = 64;

/**
 * Listens on `decision.sock`. Costs a start next to nothing: what answers is loaded when somebody
 * connects for the first time.
 */
export class DecisionListener {
  readonly #listener: Deno.UnixListener;
  readonly #load: () => Promise<DecisionServer>;
  readonly #connections = new Set<Deno.UnixConn>();
  #server: Promise<DecisionServer> | undefined;

  private constructor(listener: Deno.UnixListener, load: () => Promise<DecisionServer>) {
    this.#listener = listener;
    this.#load = load;
  }

  /** Listens on `path` (mode 0600), in a directory that is nobody else's. */
  static open(path: string, advise: Advise, largestBody: number): DecisionListener {
    const listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o600);
    const decisions = new DecisionListener(listener, async () => {
      const { DecisionServer } = await import("./serve.ts");
      return new DecisionServer(advise, largestBody);
    });
    void acceptEach(listener, (conn) => decisions.#take(conn));
    return decisions;
  }

  /** Stops to listen and breaks off what is connected. */
  async close(): Promise<void> {
    this.#listener.close();
    for (const conn of this.#connections) closeQuietly(conn);
    await (await this.#server?.catch(() => undefined))?.close();
  }

  #take(conn: Deno.UnixConn): void {
    if (this.#connections.size >= MOST_CONNECTIONS) closeQuietly(conn);
    else void this.#serve(conn);
  }

  async #serve(conn: Deno.UnixConn): Promise<void> {
    this.#connections.add(conn);
    try {
      await (await (this.#server ??= this.#load())).serve(conn);
    } catch {
      this.#server = undefined;
      closeQuietly(conn);
    } finally {
      this.#connections.delete(conn);
    }
  }
}
