import { closeQuietly } from "../../net/close_quietly.ts";
import type { Route } from "../gate.ts";
import { blockedAddress } from "./address_guard.ts";
import { asUpstreamFailure, UpstreamFailure } from "./upstream.ts";
import type { Watchdog } from "../../net/watchdog.ts";

/** An open connection to an upstream. */
export interface Dialled {
  readonly conn: Deno.Conn;
  readonly protocol: "http/1.1" | "h2";
}

/** How to dial. */
export interface DialOptions {
  readonly watchdog: Watchdog;
  readonly connectMs: number;
  /** Protocols to offer, the preferred one first. */
  readonly protocols: readonly string[];
}

function bareHost(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/**
 * Connects as `route` says. The address that the name came out as is checked on the open
 * connection, before the first byte: a name that resolves differently the second time
 * (DNS rebinding) gains nothing. Rejects with {@linkcode UpstreamFailure}.
 */
export async function dial(route: Route, options: DialOptions): Promise<Dialled> {
  const abort = new AbortController();
  let open: Deno.Conn | undefined;
  let expired = false;
  const watch = options.watchdog.watch(options.connectMs, () => {
    expired = true;
    abort.abort();
    closeQuietly(open);
  });
  try {
    const plain = open = await connect(route, abort.signal);
    if (expired) throw new Error("connected too late");
    if (!route.tls) return { conn: plain, protocol: "http/1.1" };
    const secure = open = await Deno.startTls(plain, {
      hostname: bareHost(route.host),
      alpnProtocols: [...options.protocols],
      ...(route.caCerts === undefined ? {} : { caCerts: [...route.caCerts] }),
    });
    const { alpnProtocol } = await secure.handshake();
    if (expired) throw new Error("connected too late");
    return { conn: secure, protocol: alpnProtocol === "h2" ? "h2" : "http/1.1" };
  } catch (error) {
    closeQuietly(open);
    if (expired) {
      throw new UpstreamFailure(`cannot connect to "${route.host}" in time`, {
        reason: "CONNECTOR_TIMEOUT",
        unanswered: true,
      });
    }
    throw asUpstreamFailure(error, true);
  } finally {
    watch.clear();
  }
}

async function connect(route: Route, signal: AbortSignal): Promise<Deno.TcpConn> {
  const target = route.connectAddr ?? { hostname: bareHost(route.host), port: route.port };
  const conn = await Deno.connect({ ...target, signal });
  // An operator's own address may be private; one that a name led to may not.
  const blocked = route.connectAddr === undefined
    ? blockedAddress(conn.remoteAddr.hostname)
    : undefined;
  if (blocked !== undefined) {
    closeQuietly(conn);
    throw new UpstreamFailure(
      `"${route.host}" resolves to "${conn.remoteAddr.hostname}": ${blocked}`,
      { unanswered: true },
    );
  }
  conn.setNoDelay(true);
  return conn;
}
