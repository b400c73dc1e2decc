import { RawConnection } from "./_raw.ts";

/** A server whose connections follow a script, byte by byte. */
export class ScriptedUpstream implements AsyncDisposable {
  /** Connections accepted so far. */
  accepted = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];
  readonly #scripts: Promise<void>[] = [];
  readonly #accepting: Promise<void>;

  constructor(script: (connection: RawConnection, number: number) => Promise<void>) {
    this.#accepting = this.#accept(script);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch { /* closed by its script */ }
    }
    await this.#accepting;
    await Promise.allSettled(this.#scripts);
  }

  async #accept(script: (connection: RawConnection, number: number) => Promise<void>) {
    for await (const conn of this.#listener) {
      this.#conns.push(conn);
      this.#scripts.push(script(new RawConnection(conn), ++this.accepted).catch(() => {}));
    }
  }
}
