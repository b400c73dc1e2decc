import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Gate, Peer, TunnelClaim } from "../../gate.ts";
import { countBuffer } from "../../../net/garbage.ts";
import { refuseRequest } from "../refuse.ts";
import { SocketWriter } from "../socket_writer.ts";
import type { Tasks } from "../tasks.ts";
import type { Limits, Timeouts } from "../transport_options.ts";
import type { Watch, Watchdog } from "../watchdog.ts";
import { Http2Exchange } from "./agent_exchange.ts";
import { Http2Connection } from "./connection.ts";
import { type MessageHead, readMessageHead } from "./message_rules.ts";
import type { Http2Stream } from "./stream.ts";

/** An HTTP/2 connection of an agent. */
export interface AgentHttp2 {
  readonly socket: Duplex;
  readonly peer: Peer;
  readonly tunnel: TunnelClaim;
  /** What each request has to say that it came by. @default {"https"} */
  readonly scheme?: "http" | "https";
}

/** What serving a connection needs. */
export interface Http2Context {
  readonly gate: Pick<Gate, "refuse">;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly watchdog: Watchdog;
  readonly tasks: Tasks;
  readonly serve: (exchange: Http2Exchange) => Promise<void>;
}

/** Bytes of one stream, and of all together, that an agent may send ahead of the upstream. */
const STREAM_WINDOW = 8_388_608;
const CONNECTION_WINDOW = 16_777_216;
const CLOSING_MS = 2_000;
const PSEUDO = [":method", ":scheme", ":authority", ":path"];

/** Serves the streams of a connection. Returns a way to break it off. */
export function serveHttp2(agent: AgentHttp2, context: Http2Context): () => void {
  const { socket, peer, tunnel } = agent;
  const { gate, limits, timeouts, watchdog } = context;
  const writer = new SocketWriter(socket);
  const sink = {
    write: (bytes: Buffer) => writer.write(bytes),
    end: () => {
      socket.end();
      const watch = watchdog.watch(CLOSING_MS, () => socket.destroy());
      socket.once("close", () => watch.clear());
    },
  };
  const options = {
    role: "server",
    streamWindow: STREAM_WINDOW,
    connectionWindow: CONNECTION_WINDOW,
    maxStreams: limits.streamsPerConnection,
    headBytes: limits.headBytes,
  } as const;
  const connection = new Http2Connection(sink, options, {
    opened: (stream, fields, ended) => open(stream, fields, ended, agent, context),
    goingAway: () => {},
    room: () => {},
    closed: (error) => {
      idle.clear();
      midway?.clear();
      if (error === undefined) return;
      const resource = `${tunnel.connectHost}:${tunnel.connectPort}`;
      gate.refuse(peer, { resource, detail: `HTTP/2: ${error.message}` });
    },
  });
  const watchIdle = () =>
    watchdog.watch(timeouts.idleMs, () => {
      if (connection.active === 0) return connection.close();
      idle = watchIdle();
    });
  let idle = watchIdle();
  let midway: Watch | undefined;
  const late = () => connection.refuse("request head did not come in time");
  socket.on("data", (bytes: Buffer) => {
    idle.touch();
    countBuffer(bytes);
    connection.receive(bytes);
    if (connection.midway) {
      midway ??= watchdog.watch(timeouts.headMs, late);
    } else if (midway !== undefined) {
      midway.clear();
      midway = undefined;
    }
  });
  const lost = () => {
    connection.lost();
    socket.destroy();
  };
  socket.on("end", lost);
  socket.on("error", lost);
  socket.on("close", lost);
  return () => {
    connection.close();
    socket.destroy();
  };
}

function open(
  stream: Http2Stream,
  list: [string, string][] | undefined,
  ended: boolean,
  { peer, tunnel, scheme = "https" }: AgentHttp2,
  context: Http2Context,
): void {
  const head = list === undefined ? "head is too large" : readMessageHead(list, PSEUDO);
  const fault = typeof head === "string" ? head : requestFault(head, ended, scheme);
  const readable = typeof head === "string"
    ? {
      pseudo: new Map(list?.filter(([name]) => name.startsWith(":"))),
      fields: [],
      length: undefined,
    }
    : head;
  const exchange = new Http2Exchange(stream, readable, { peer, tunnel });
  context.tasks.add(
    fault === undefined ? context.serve(exchange) : refuseRequest(context, exchange, fault),
  );
}

/** What is wrong with the head of a request, if anything is. */
function requestFault(
  { pseudo, fields, length }: MessageHead,
  ended: boolean,
  scheme: "http" | "https",
): string | undefined {
  const method = pseudo.get(":method");
  if (method === undefined || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/.test(method)) {
    return ":method is malformed";
  }
  if (method === "CONNECT") return "CONNECT within a tunnel";
  if (pseudo.get(":scheme") !== scheme) return `:scheme is not ${scheme}`;
  const path = pseudo.get(":path") ?? "";
  if (!/^\/[\x21-\x7e]*$/.test(path) && !(path === "*" && method === "OPTIONS")) {
    return ":path is not in origin form";
  }
  const authority = pseudo.get(":authority");
  const hosts = fields.filter(([name]) => name === "host");
  if (hosts.length > 1) return "Host is given twice";
  if (authority !== undefined && hosts.length === 1 && hosts[0]![1] !== authority) {
    return "Host and :authority disagree";
  }
  if (ended && length !== undefined && length > 0) return "Content-Length without a body";
  return undefined;
}
