import { Code, ConnectError, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { ConnectRouter } from "@connectrpc/connect";
import { ConnectionEnded, ProtocolViolation } from "../../net/byte_source.ts";
import { problem } from "../../net/http/answers.ts";
import type { Exchange } from "../../net/http/exchange.ts";
import { serveRpc } from "../../net/http/serve_rpc.ts";
import type { Watchdog } from "../../net/watchdog.ts";
import type { Client } from "./client.ts";
import { CLIENT } from "./routes.ts";

/** No request of this protocol comes near it. */
const LARGEST_REQUEST = 1024 * 1024;
/** Bytes of all requests that are being answered, whoever sent them. */
const ALL_REQUESTS = 64 * LARGEST_REQUEST;
const REQUEST_MS = 30_000;
const UNREAD_MS = 60_000;

/** What clients do by leaving; not a fault of anybody. */
const DEPARTURES = new Set([Code.Aborted, Code.Canceled, Code.Unavailable, Code.DeadlineExceeded]);

/** Answers a request of a client; `undefined` is nobody. Never rejects. */
export type RequestHandler = (exchange: Exchange, client: Client | undefined) => Promise<void>;

/**
 * Answers requests of Connect, gRPC and gRPC-Web. Whatever is wrong with one
 * ends that one: a client on the list may be broken, or broken into, and must not
 * take the Authority from the others.
 */
export function requestHandler(
  routes: (router: ConnectRouter) => void,
  watchdog: Watchdog,
  onFault: (what: string, cause: unknown) => void,
): RequestHandler {
  // Without compression, which nobody needs here and which makes much out of little.
  const router = createConnectRouter({ readMaxBytes: LARGEST_REQUEST, acceptCompression: [] });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  let held = 0;

  return async (exchange, client) => {
    let own = 0;
    const received = (bytes: number) => {
      held += bytes;
      own += bytes;
      if (held <= ALL_REQUESTS) return;
      throw new ConnectError("too much is being asked at once", Code.ResourceExhausted);
    };
    const path = exchange.target.split("?", 1)[0]!;
    const handler = handlers.get(path);
    try {
      if (client === undefined) {
        return await exchange.respond(problem(403, "this client is not on the list"));
      }
      if (handler === undefined) return await exchange.respond(problem(404, "no such method"));
      await serveRpc(handler, exchange, {
        watchdog,
        requestMs: REQUEST_MS,
        unreadMs: UNREAD_MS,
        values: createContextValues().set(CLIENT, client),
        received,
      });
    } catch (cause) {
      if (!isDeparture(cause)) onFault(`${exchange.method} ${path}`, cause);
      exchange.abort();
    } finally {
      held -= own;
    }
  };
}

function isDeparture(cause: unknown): boolean {
  if (cause instanceof ConnectionEnded || cause instanceof ProtocolViolation) return true;
  return cause instanceof ConnectError && DEPARTURES.has(cause.code);
}
