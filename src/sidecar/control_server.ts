import type { ControlApi, ControlTarget } from "./control.ts";

/** How long answers that are on their way may take when the server ends, in milliseconds. */
const LAST_ANSWERS_MS = 500;

/** Serves the control API on a unix socket. */
export class ControlServer {
  readonly path: string;
  readonly #ending = new AbortController();
  readonly #server: Deno.HttpServer<Deno.UnixAddr>;
  #api: Promise<ControlApi> | undefined;

  private constructor(target: ControlTarget, path: string) {
    this.path = path;
    // Loaded at the first request: the Sidecar of a single run never has one.
    const load = async () => (await import("./control.ts")).controlApi(target);
    const { signal } = this.#ending;
    this.#server = Deno.serve(
      { path, signal, onListen: () => {} },
      async (request) => (await (this.#api ??= load())).fetch(request),
    );
  }

  /** Listens on `path`, for this user alone (mode 0600). */
  static async open(target: ControlTarget, path: string): Promise<ControlServer> {
    const server = new ControlServer(target, path);
    await Deno.chmod(path, 0o600);
    return server;
  }

  /** Ends the streams of all sessions, answers what was asked, and stops to listen. */
  async close(): Promise<void> {
    (await this.#api)?.close();
    const timer = setTimeout(() => this.#ending.abort(), LAST_ANSWERS_MS);
    await this.#server.shutdown();
    clearTimeout(timer);
  }
}
