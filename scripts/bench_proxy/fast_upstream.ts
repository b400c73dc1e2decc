/**
 * The servers that the proxies are measured against. Started by `bench_proxy.ts` with a JSON
 * argument; prints a line when they listen. HTTP/1.1 answers are canned so that the server
 * costs next to nothing; the HTTP/2 server and the transfers go through `node:http2`.
 */
import { Buffer } from "node:buffer";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";

/** What the servers need. */
export interface FastUpstream {
  readonly cert: string;
  readonly key: string;
  /** Canned answers over HTTP/1.1. */
  readonly port: number;
  /** `/bytes/N` and `/upload` over HTTP/1.1 and HTTP/2, anything else is small. */
  readonly http2Port: number;
}

const SMALL = "x".repeat(200);
const PIECE = Buffer.alloc(65_536, "0123456789abcdef");

async function serveCanned(conn: Deno.TlsConn): Promise<void> {
  const answer = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${SMALL.length}\r\n\r\n${SMALL}`,
  );
  const space = Buffer.alloc(16_384);
  let unread = 0;
  try {
    for (;;) {
      const count = await conn.read(space.subarray(unread));
      if (count === null) break;
      unread += count;
      if (space.indexOf("\r\n\r\n") < 0) continue;
      unread = 0;
      await conn.write(answer);
      space.fill(0, 0, count);
    }
  } catch { /* the proxy hung up */ }
}

async function listenCanned({ cert, key, port }: FastUpstream): Promise<void> {
  const options = { hostname: "127.0.0.1", port, cert, key, alpnProtocols: ["http/1.1"] };
  for await (const conn of Deno.listenTls(options)) void serveCanned(conn);
}

function sendBytes(response: Http2ServerResponse, size: number): void {
  let left = size;
  const go = () => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    response.end();
  };
  response.on("drain", go);
  go();
}

function answer(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const [, name, argument] = request.url.split("/");
  if (name === "bytes") {
    response.writeHead(200, { "content-length": argument });
    sendBytes(response, Number(argument));
  } else if (name === "upload") {
    let size = 0;
    request.on("data", (piece: Buffer) => size += piece.length);
    request.on("end", () => response.end(String(size)));
  } else {
    response.writeHead(200, { "content-type": "text/plain", "content-length": SMALL.length });
    response.end(SMALL);
  }
}

if (import.meta.main) {
  const options: FastUpstream = JSON.parse(Deno.args[0]!);
  const { cert, key, http2Port } = options;
  void listenCanned(options);
  const settings = { initialWindowSize: 4_194_304 };
  const server = createSecureServer({ cert, key, allowHTTP1: true, settings }, answer);
  server.on("session", (session) => session.setLocalWindowSize(16_777_216));
  server.listen(http2Port, "127.0.0.1", () => console.log("ready"));
}
