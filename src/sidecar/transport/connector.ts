import type { Route } from "../gate.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { dial, type Dialled } from "./dial.ts";
import { Http1UpstreamConnection } from "./http1/upstream_connection.ts";
import { Http2UpstreamSession } from "./http2/upstream_session.ts";
import type { Limits, Timeouts } from "./transport_options.ts";
import type { Upstream } from "./upstream.ts";
import type { Watchdog } from "../../net/watchdog.ts";

/** Servers commonly close idle connections after 30 s or more; staying below avoids the race. */
const IDLE_MS = 25_000;
const MAX_IDLE_PER_ORIGIN = 64;
/** Origins remembered; beyond that the ones without a connection are forgotten. */
const MAX_ORIGINS = 1_024;
const BOTH = ["h2", "http/1.1"] as const;
const HTTP1_ONLY = ["http/1.1"] as const;

interface Origin {
  readonly key: string;
  readonly idle: IdleConnection[];
  /** What the upstream chose when it was last asked. */
  protocol: "http/1.1" | "h2" | undefined;
  session: Http2UpstreamSession | undefined;
  /** The first connection, which tells the protocol: others wait for it rather than dial as well. */
  probing: Promise<void> | undefined;
}

interface IdleConnection {
  readonly connection: Http1UpstreamConnection;
  readonly drop: () => void;
  readonly clear: () => void;
}

/** Opens and keeps connections to upstreams. */
export class Connector {
  readonly #origins = new Map<string, Origin>();
  readonly #watchdog: Watchdog;
  readonly #timeouts: Timeouts;
  readonly #limits: Limits;

  constructor(watchdog: Watchdog, timeouts: Timeouts, limits: Limits) {
    this.#watchdog = watchdog;
    this.#timeouts = timeouts;
    this.#limits = limits;
  }

  /** The connection that can take a call at once, if there is one. */
  ready(route: Route): Upstream | undefined {
    const origin = this.#origin(route);
    const { session } = origin;
    if (session !== undefined) return session;
    const idle = origin.idle.pop();
    if (idle === undefined) return undefined;
    idle.clear();
    return this.#http1(origin, idle.connection);
  }

  /** Opens a connection. Rejects with `UpstreamFailure`. */
  async open(route: Route): Promise<Upstream> {
    const origin = this.#origin(route);
    while (origin.probing !== undefined) {
      await origin.probing;
      const ready = origin.protocol === "h2" ? this.ready(route) : undefined;
      if (ready !== undefined) return ready;
    }
    if (origin.protocol === "http/1.1" || !route.tls) {
      return this.#adopt(origin, await this.#dial(route, BOTH));
    }
    let done = () => {};
    origin.probing = new Promise((resolve) => done = resolve);
    try {
      return this.#adopt(origin, await this.#dial(route, BOTH));
    } finally {
      origin.probing = undefined;
      done();
    }
  }

  /** Opens a connection of its own that speaks HTTP/1.1, for a WebSocket. */
  async openHttp1(route: Route): Promise<Upstream> {
    const { conn } = await this.#dial(route, HTTP1_ONLY);
    const connection = new Http1UpstreamConnection(conn, this.#limits.headBytes);
    return this.#http1(this.#origin(route), connection);
  }

  /** Opens a bare connection, for a tunnel. */
  async openTcp(route: Route): Promise<Deno.Conn> {
    return (await this.#dial({ ...route, tls: false }, HTTP1_ONLY)).conn;
  }

  /** Closes every connection that waits for a call or shares one; resolves when all are closed. */
  async close(): Promise<void> {
    const closing: Promise<void>[] = [];
    for (const { idle, session } of this.#origins.values()) {
      for (const { connection, clear } of idle.splice(0)) {
        clear();
        closing.push(connection.close());
      }
      if (session !== undefined) closing.push(session.close());
    }
    this.#origins.clear();
    await Promise.all(closing);
  }

  #dial(route: Route, protocols: readonly string[]): Promise<Dialled> {
    const { connectMs } = this.#timeouts;
    return dial(route, { watchdog: this.#watchdog, connectMs, protocols });
  }

  #origin(route: Route): Origin {
    const { host, port, tls, connectAddr, caCerts } = route;
    let key = `${tls ? "s" : ""}//${host}:${port}`;
    if (connectAddr !== undefined) key += ` ${connectAddr.hostname}:${connectAddr.port}`;
    if (caCerts !== undefined) { for (const pem of caCerts) key += ` ${certificateId(pem)}`; }
    let origin = this.#origins.get(key);
    if (origin === undefined) {
      if (this.#origins.size >= MAX_ORIGINS) this.#forgetUnused();
      origin = { key, idle: [], protocol: undefined, session: undefined, probing: undefined };
      this.#origins.set(key, origin);
    }
    return origin;
  }

  #forgetUnused(): void {
    for (const [key, { idle, session, probing }] of this.#origins) {
      if (idle.length === 0 && session === undefined && probing === undefined) {
        this.#origins.delete(key);
      }
    }
  }

  #adopt(origin: Origin, { conn, protocol }: Dialled): Upstream {
    origin.protocol = protocol;
    if (protocol === "http/1.1") {
      return this.#http1(origin, new Http1UpstreamConnection(conn, this.#limits.headBytes));
    }
    if (origin.session !== undefined) {
      closeQuietly(conn);
      return origin.session;
    }
    const lost = () => {
      if (origin.session === session) origin.session = undefined;
    };
    const { headBytes } = this.#limits;
    const options = { watchdog: this.#watchdog, idleMs: IDLE_MS, headBytes, lost };
    const session: Http2UpstreamSession = new Http2UpstreamSession(conn, options);
    return origin.session = session;
  }

  #http1(origin: Origin, connection: Http1UpstreamConnection): Upstream {
    return {
      used: connection.served > 0,
      call: (request, observer) =>
        connection.call(request, observer, () => this.#keep(origin, connection)),
      release: () => this.#keep(origin, connection),
    };
  }

  #keep(origin: Origin, connection: Http1UpstreamConnection): void {
    if (origin.idle.length >= MAX_IDLE_PER_ORIGIN || !this.#origins.has(origin.key)) {
      connection.close();
      return;
    }
    const drop = () => {
      const at = origin.idle.indexOf(entry);
      if (at >= 0) origin.idle.splice(at, 1);
      watch.clear();
      connection.close();
    };
    const watch = this.#watchdog.watch(IDLE_MS, drop);
    const clear = () => {
      watch.clear();
      connection.take();
    };
    const entry: IdleConnection = { connection, drop, clear };
    origin.idle.push(entry);
    connection.idle(drop);
  }
}

const certificateIds = new Map<string, number>();

/** A short stand-in for a certificate in the key of an origin. */
function certificateId(pem: string): number {
  let id = certificateIds.get(pem);
  if (id === undefined) certificateIds.set(pem, id = certificateIds.size);
  return id;
}
