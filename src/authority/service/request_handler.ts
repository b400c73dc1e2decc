import { Code, ConnectError, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Client } from "./client.ts";
import { CLIENT } from "./routes.ts";
import type { RequestHandler } from "./unix_listener.ts";

/** No request of this protocol comes near it. */
const LARGEST_REQUEST = 1024 * 1024;

/** What clients do by leaving; not a fault of anybody. */
const DEPARTURES = new Set([Code.Aborted, Code.Canceled, Code.Unavailable, Code.DeadlineExceeded]);
const BROKEN_PIPE = /\b(?:ECANCELED|ECONNRESET|EPIPE|ERR_STREAM|ERR_HTTP2)/;

/**
 * Answers requests of Connect, gRPC and gRPC-Web. Whatever is wrong with one
 * ends that one: a client on the list may be broken, or broken into, and must not
 * take the Authority from the others.
 */
export function requestHandler(
  routes: (router: ConnectRouter) => void,
  clientOf: (request: Http2ServerRequest) => Client | undefined,
  onFault: (what: string, cause: unknown) => void,
): RequestHandler {
  // Without compression, which nobody needs here and which makes much out of little.
  const router = createConnectRouter({ readMaxBytes: LARGEST_REQUEST, acceptCompression: [] });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  const answer = async (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const client = clientOf(request);
    if (client === undefined) return refuse(response, 403);
    const handler = handlers.get(request.url.split("?", 1)[0]!);
    if (handler === undefined) return refuse(response, 404);
    const values = createContextValues().set(CLIENT, client);
    const asked = universalRequestFromNodeRequest(request, response, undefined, values);
    await universalResponseToNodeResponse(await handler(asked), response);
  };

  return (request, response) => {
    answer(request, response).catch((cause) => {
      if (!isDeparture(cause)) onFault(`${request.method} ${request.url}`, cause);
      destroy(response);
    });
  };
}

function refuse(response: Http2ServerResponse, status: number): void {
  response.writeHead(status);
  response.end();
}

function destroy(response: Http2ServerResponse): void {
  try {
    response.destroy();
  } catch {
    // It is gone already.
  }
}

function isDeparture(cause: unknown): boolean {
  const error = ConnectError.from(cause);
  return DEPARTURES.has(error.code) || BROKEN_PIPE.test(error.message);
}
