/**
 * The servers that the proxies are measured against. Started by `bench_proxy.ts` with a JSON
 * argument; prints a line when they listen. `/bytes/N` answers N bytes, `/upload` counts what it
 * gets, anything else has a small answer that is ready beforehand, so that it costs next to nothing.
 */
import { Buffer } from "node:buffer";
import { writeAll } from "../../src/net/write_all.ts";
import { Http2Connection } from "../../src/net/http2/connection.ts";
import type { Http2Stream } from "../../src/net/http2/stream.ts";

/** What the servers need. */
export interface FastUpstream {
  readonly cert: string;
  readonly key: string;
  /** Speaks HTTP/1.1. */
  readonly port: number;
  /** Speaks HTTP/2. */
  readonly http2Port: number;
}

const SMALL = Buffer.alloc(200, "x");
const PIECE = Buffer.alloc(65_536, "0123456789abcdef");

/** What a path asks for: the size of an answer. */
function sizeAsked(path: string): number | undefined {
  const size = /^\/bytes\/(\d+)$/.exec(path)?.[1];
  return size === undefined ? undefined : Number(size);
}

function http1Head(size: number): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${size}\r\n\r\n`,
  );
}

async function serveHttp1(conn: Deno.TlsConn): Promise<void> {
  const small = Buffer.concat([http1Head(SMALL.length), SMALL]);
  const space = Buffer.alloc(262_144);
  let unread = 0;
  try {
    for (;;) {
      const count = await conn.read(space.subarray(unread));
      if (count === null) break;
      unread += count;
      const end = space.subarray(0, unread).indexOf("\r\n\r\n");
      if (end < 0) continue;
      if (space.subarray(0, 10).equals(SMALL_REQUEST)) {
        unread = 0;
        await conn.write(small);
        continue;
      }
      const head = space.toString("latin1", 0, end);
      let body = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0) - (unread - end - 4);
      for (unread = 0; body > 0;) body -= await conn.read(space) ?? Infinity;
      const size = sizeAsked(head.split(" ")[1]!) ?? 0;
      await writeAll(conn, http1Head(size));
      for (let left = size; left > 0; left -= PIECE.length) {
        await writeAll(conn, left < PIECE.length ? PIECE.subarray(0, left) : PIECE);
      }
    }
  } catch { /* the proxy hung up */ }
}
const SMALL_REQUEST = Buffer.from("GET /small");

async function serveHttp2(conn: Deno.TlsConn): Promise<void> {
  let writing = Promise.resolve();
  const sink = {
    write: (bytes: Buffer) => writing = writing.then(() => writeAll(conn, bytes)),
    end: () => void writing.finally(() => conn.close()).catch(() => {}),
  };
  const connection = new Http2Connection(sink, {
    role: "server",
    streamWindow: 4_194_304,
    connectionWindow: 16_777_216,
    maxStreams: 1_000,
    headBytes: 65_536,
  }, {
    opened: (stream, fields) => void answerHttp2(stream, fields!).catch(() => {}),
    goingAway: () => {},
    room: () => {},
    closed: () => {},
  });
  const space = new Uint8Array(65_536);
  try {
    for (;;) {
      const count = await conn.read(space);
      if (count === null) break;
      connection.receive(Buffer.from(space.subarray(0, count)));
    }
  } catch { /* the proxy hung up */ }
  connection.lost();
}

async function answerHttp2(stream: Http2Stream, fields: [string, string][]): Promise<void> {
  const path = fields.find(([name]) => name === ":path")![1];
  for (let piece = stream.take(); piece !== null; piece = stream.take()) {
    if (piece === undefined) await stream.wait();
  }
  const size = sizeAsked(path);
  const length = size ?? SMALL.length;
  const head = [[":status", "200"], ["content-type", "text/plain"]] as const;
  stream.sendHead([...head, ["content-length", String(length)]], length === 0);
  if (size === undefined) await stream.send(SMALL, true);
  for (let left = size ?? 0; left > 0; left -= PIECE.length) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    await stream.send(piece, left <= PIECE.length);
  }
}

async function listen(options: Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem): Promise<void> {
  const http2 = options.alpnProtocols?.[0] === "h2";
  for await (const conn of Deno.listenTls(options)) {
    void (http2 ? serveHttp2(conn) : serveHttp1(conn));
  }
}

if (import.meta.main) {
  const { cert, key, port, http2Port }: FastUpstream = JSON.parse(Deno.args[0]!);
  const options = { hostname: "127.0.0.1", cert, key };
  void listen({ ...options, port, alpnProtocols: ["http/1.1"] });
  void listen({ ...options, port: http2Port, alpnProtocols: ["h2"] });
  console.log("ready");
}
