import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Gate, Peer, TunnelClaim } from "../../gate.ts";
import { refuseRequest } from "../refuse.ts";
import type { Tasks } from "../tasks.ts";
import type { Limits } from "../transport_options.ts";
import { Http2Exchange } from "./agent_exchange.ts";
import { fieldsOf } from "./fields.ts";

/** An HTTP/2 connection of an agent. */
export interface Http2Connection {
  readonly socket: TLSSocket;
  readonly peer: Peer;
  readonly tunnel: TunnelClaim;
}

/** What serving a connection needs. */
export interface Http2Context {
  readonly gate: Gate;
  readonly limits: Limits;
  readonly tasks: Tasks;
  readonly serve: (exchange: Http2Exchange) => Promise<void>;
}

/** Bytes of one stream, and of all together, that an agent may send ahead of the upstream. */
const STREAM_WINDOW = 1_048_576;
const SESSION_WINDOW = 2_097_152;

/** Serves the streams of a connection. Returns a way to break it off. */
export function serveHttp2(connection: Http2Connection, context: Http2Context): () => void {
  const { socket, peer, tunnel } = connection;
  const { limits, gate } = context;
  const session = performServerHandshake(socket, {
    settings: {
      initialWindowSize: STREAM_WINDOW,
      maxConcurrentStreams: limits.streamsPerConnection,
      maxHeaderListSize: limits.headBytes,
    },
  });
  session.setLocalWindowSize(SESSION_WINDOW);
  let expected = false;
  const close = () => {
    expected = true;
    session.destroy();
  };
  // The session itself does not mind that its client has hung up, and would write on for ever.
  socket.on("end", close);
  socket.on("error", close);
  session.on("error", () => session.destroy());
  session.on("close", () => {
    if (expected) return;
    // Frames that break the protocol end a session without anybody being told why.
    const resource = `${tunnel.connectHost}:${tunnel.connectPort}`;
    gate.refuse(peer, { resource, detail: "HTTP/2: the protocol was violated" });
  });
  session.on(
    "stream",
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw?: string[]) => {
      const fields = fieldsOf(headers, raw);
      const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const highWater = limits.bufferedBytes;
      const exchange = new Http2Exchange(stream, headers, fields, ended, {
        peer,
        tunnel,
        highWater,
      });
      const fault = requestFault(headers, fields);
      context.tasks.add(
        fault === undefined ? context.serve(exchange) : refuseRequest(gate, exchange, fault),
      );
    },
  );
  return close;
}

/** What is wrong with the pseudo-header fields and those that must agree with them. */
function requestFault(
  headers: IncomingHttpHeaders,
  fields: readonly (readonly [string, string])[],
): string | undefined {
  if (headers[":method"] === "CONNECT") return "CONNECT within a tunnel";
  if (headers[":scheme"] !== "https") return ":scheme is not https";
  const path = headers[":path"] ?? "";
  if (!/^\/[\x21-\x7e]*$/.test(path) && !(path === "*" && headers[":method"] === "OPTIONS")) {
    return ":path is not in origin form";
  }
  const authority = headers[":authority"];
  const hosts = fields.filter(([name]) => name === "host");
  if (hosts.length > 1) return "Host is given twice";
  if (authority !== undefined && hosts.length === 1 && hosts[0]![1] !== authority) {
    return "Host and :authority disagree";
  }
  const lengths = fields.filter(([name]) => name === "content-length");
  if (lengths.length > 1) return "Content-Length is given twice";
  if (lengths.length === 1 && !/^[0-9]{1,15}$/.test(lengths[0]![1])) {
    return "Content-Length is malformed";
  }
  return undefined;
}
