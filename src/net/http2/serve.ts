import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { countBuffer } from "../garbage.ts";
import { SocketWriter } from "../socket_writer.ts";
import type { Tasks } from "../tasks.ts";
import type { HttpLimits, HttpTimeouts } from "../http/http_options.ts";
import type { Watch, Watchdog } from "../watchdog.ts";
import { Http2Exchange } from "./exchange.ts";
import { Http2Connection } from "./connection.ts";
import { type MessageHead, readMessageHead } from "./message_rules.ts";
import { SilenceWatch } from "./silence_watch.ts";
import type { Http2Stream } from "./stream.ts";

/** An HTTP/2 connection of a client. */
export interface ClientHttp2 {
  readonly socket: Duplex;
  /** What each request has to say that it came by. */
  readonly scheme: "http" | "https";
}

/** What serving a connection needs. */
export interface Http2Context {
  readonly limits: HttpLimits;
  readonly timeouts: HttpTimeouts;
  readonly watchdog: Watchdog;
  readonly tasks: Tasks;
  /** Answers a request. Never rejects. */
  readonly serve: (exchange: Http2Exchange) => Promise<void>;
  /** Answers what came in place of a request. Never rejects. */
  readonly refuse: (exchange: Http2Exchange, detail: string) => Promise<void>;
  /** Hears how the client broke the protocol of its connection. */
  readonly failed: (error: Error) => void;
}

/** Bytes of one stream, and of all together, that a client may send ahead of their reader. */
const STREAM_WINDOW = 8_388_608;
const CONNECTION_WINDOW = 16_777_216;
const CLOSING_MS = 2_000;
const PSEUDO = [":method", ":scheme", ":authority", ":path"];

/** Serves the streams of a connection. Returns a way to say good-bye and close it. */
export function serveHttp2(client: ClientHttp2, context: Http2Context): () => void {
  const { socket } = client;
  const { limits, timeouts, watchdog } = context;
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
    streamWindow: limits.streamWindow ?? STREAM_WINDOW,
    connectionWindow: limits.connectionWindow ?? CONNECTION_WINDOW,
    maxStreams: limits.streamsPerConnection,
    headBytes: limits.headBytes,
  } as const;
  const connection = new Http2Connection(sink, options, {
    opened: (stream, fields, ended) => open(stream, fields, ended, client, context),
    goingAway: () => {},
    room: () => {},
    closed: (error) => {
      idle.clear();
      silent?.clear();
      midway?.clear();
      if (error !== undefined) context.failed(error);
    },
  });
  const watchIdle = () =>
    watchdog.watch(timeouts.idleMs, () => {
      if (connection.active === 0) return connection.close();
      idle = watchIdle();
    });
  let idle = watchIdle();
  const { silenceMs } = timeouts;
  const silent = silenceMs === undefined ? undefined : new SilenceWatch(watchdog, silenceMs, {
    answerMs: timeouts.headMs,
    ask: () => connection.ping(),
    lost: () => lost(),
  });
  let midway: Watch | undefined;
  const late = () => connection.refuse("request head did not come in time");
  socket.on("data", (bytes: Buffer) => {
    idle.touch();
    silent?.heard();
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
  return () => connection.close();
}

function open(
  stream: Http2Stream,
  list: [string, string][] | undefined,
  ended: boolean,
  { scheme }: ClientHttp2,
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
  const exchange = new Http2Exchange(stream, readable, scheme);
  context.tasks.add(
    fault === undefined ? context.serve(exchange) : context.refuse(exchange, fault),
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
