import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { formatLastAnswer } from "../http1/format.ts";
import { type NoRequest, serveHttp1 } from "../http1/serve.ts";
import { serveHttp2 } from "../http2/serve.ts";
import { readControlBelowTls, SocketReader } from "../socket_reader.ts";
import { Tasks } from "../tasks.ts";
import { Watchdog } from "../watchdog.ts";
import { problem } from "./answers.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpLimits, HttpTimeouts } from "./http_options.ts";

/** Options of {@linkcode HttpServer}. */
export interface HttpServerOptions {
  readonly timeouts: HttpTimeouts;
  readonly limits: HttpLimits & {
    /** Bytes of an HTTP/1 connection that may come ahead of their reader. */
    readonly bufferedBytes: number;
  };
}

/** A connection that was accepted. */
export interface HttpConnection {
  readonly socket: Duplex;
  /** Where the socket is one of TLS: what that reads from, and what its handshake agreed on. */
  readonly tls?: { readonly below: Duplex; readonly protocol: "h2" | "http/1.1" };
  /** Answers a request. Never rejects. */
  readonly answer: (exchange: Exchange) => Promise<void>;
  /** Hears how the client broke the protocol of the connection. */
  readonly failed: (error: Error) => void;
}

const PREFACE = "PRI * HTTP/2.0";

/** Serves connections of HTTP/2 and HTTP/1.1, with firma's own code from the first byte. */
export class HttpServer {
  readonly watchdog: Watchdog = new Watchdog(250);
  readonly #options: HttpServerOptions;
  /** How to close each connection that is open, with what it says for good-bye. */
  readonly #open = new Map<Duplex, () => void>();
  readonly #connections = new Tasks();
  readonly #exchanges = new Tasks();

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Serves a connection to its end. Never rejects. */
  serve(connection: HttpConnection): Promise<void> {
    const served = this.#serve(connection);
    this.#connections.add(served);
    return served;
  }

  /**
   * Ends every connection: what is being answered has `graceMs` milliseconds to come to its end.
   * No connection may be served afterwards.
   */
  async close(graceMs: number): Promise<void> {
    await this.#within(graceMs, this.#exchanges.done());
    for (const close of this.#open.values()) close();
    await this.#within(graceMs, this.#connections.done());
    for (const socket of this.#open.keys()) socket.destroy();
    await this.#connections.done();
    this.watchdog.close();
  }

  async #serve(connection: HttpConnection): Promise<void> {
    const { socket, tls } = connection;
    // Whoever reads from the socket hears of errors; this keeps them from being fatal.
    socket.on("error", () => {});
    if (socket.closed) return;
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    this.#open.set(socket, () => socket.destroy());
    const protocol = tls?.protocol ?? await this.#protocol(socket);
    if (protocol === undefined) socket.destroy();
    else if (!socket.destroyed) this.#carry(connection, protocol);
    await closed;
    this.#open.delete(socket);
  }

  #carry(connection: HttpConnection, protocol: "h2" | "http/1.1"): void {
    const { socket, tls, failed } = connection;
    const { timeouts, limits } = this.#options;
    const scheme = tls === undefined ? "http" : "https";
    const context = {
      watchdog: this.watchdog,
      timeouts,
      limits,
      tasks: this.#exchanges,
      serve: (exchange: Exchange) => {
        const answered = connection.answer(exchange);
        if (protocol !== "h2") this.#exchanges.add(answered);
        return answered;
      },
      refuse: (exchange: Exchange, detail: string) =>
        exchange.respond(problem(400, detail)).catch(() => exchange.abort()),
      refuseHead: ({ status = 400, detail }: NoRequest) =>
        formatLastAnswer(problem(status, detail)),
      failed,
    };
    if (protocol === "h2") {
      this.#open.set(socket, serveHttp2({ socket, scheme }, context));
    } else {
      const control = tls && readControlBelowTls(tls.below);
      const reader = new SocketReader(socket, control, limits.bufferedBytes);
      void serveHttp1({ reader, scheme, form: "origin" }, context);
    }
    socket.resume();
  }

  /** What the first bytes begin; `undefined` when there are none, or they take too long. */
  async #protocol(socket: Duplex): Promise<"h2" | "http/1.1" | undefined> {
    const { promise, resolve } = Promise.withResolvers<"h2" | "http/1.1" | undefined>();
    const watch = this.watchdog.watch(this.#options.timeouts.headMs, () => resolve(undefined));
    let seen = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      seen = Buffer.concat([seen, bytes]);
      if (!PREFACE.startsWith(seen.toString("latin1", 0, PREFACE.length))) resolve("http/1.1");
      else if (seen.length >= PREFACE.length) resolve("h2");
    };
    const onEnd = () => resolve(undefined);
    socket.on("data", onData).on("end", onEnd).on("close", onEnd);
    const protocol = await promise;
    watch.clear();
    socket.pause();
    socket.off("data", onData).off("end", onEnd).off("close", onEnd);
    if (protocol !== undefined && !socket.destroyed) socket.unshift(seen);
    return protocol;
  }

  async #within(ms: number, task: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([task, late]);
    clearTimeout(timer);
  }
}
