/** An HttpServer on a socket of its own, and clients of it. */
import { Buffer } from "node:buffer";
import { acceptEach } from "../../../src/net/accept.ts";
import { ConnSocket } from "../../../src/net/conn_socket.ts";
import type { Exchange } from "../../../src/net/http/exchange.ts";
import type { HttpTimeouts } from "../../../src/net/http/http_options.ts";
import { HttpServer } from "../../../src/net/http/http_server.ts";
import { writeAll } from "../../../src/net/write_all.ts";
import { Http2Client } from "../../fixtures/http2_client.ts";

/** Times that nothing in a test takes. */
export const LONG_MS = 600_000;

/** Starts a server whose requests `answer` answers. */
export function startServer(
  answer: (exchange: Exchange, server: HttpServer) => Promise<void>,
  timeouts: Partial<HttpTimeouts> = {},
) {
  const dir = Deno.makeTempDirSync();
  const path = `${dir}/http.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const server = new HttpServer({
    timeouts: { idleMs: LONG_MS, headMs: LONG_MS, ...timeouts },
    limits: { headBytes: 16_384, bufferedBytes: 65_536, streamsPerConnection: 64 },
  });
  const faults: string[] = [];
  const accepting = acceptEach(listener, (conn) =>
    void server.serve({
      socket: new ConnSocket(conn),
      answer: (exchange) => answer(exchange, server),
      failed: ({ message }) => void faults.push(message),
    }));
  const connect = () => Deno.connect({ transport: "unix", path });
  return {
    server,
    /** How clients broke the protocol. */
    faults,
    connect,
    /** All that comes back for `text` until the server closes the connection. */
    async raw(text: string): Promise<string> {
      using conn = await connect();
      await writeAll(conn, Buffer.from(text, "latin1"));
      return await readToEnd(conn);
    },
    /** A client of HTTP/2; `streamWindow` is how much of an answer may come before it is read. */
    http2: async (streamWindow?: number) => {
      const client = new Http2Client(await connect(), "localhost", streamWindow);
      const request: typeof client.request = (fields, more) =>
        client.request([[":scheme", "http"], ...fields], more);
      const start: typeof client.start = ({ fields, ...more }) =>
        client.start({ fields: [[":scheme", "http"], ...fields], ...more });
      return {
        conn: client.conn,
        done: client.done,
        request,
        start,
        [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
      };
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await server.close(0);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** What comes on a connection until its end, however that comes. */
export async function readToEnd(conn: Deno.Conn): Promise<string> {
  const pieces: Buffer[] = [];
  const space = new Uint8Array(65_536);
  for (;;) {
    const count = await conn.read(space).catch(() => null);
    if (count === null) return Buffer.concat(pieces).toString("latin1");
    pieces.push(Buffer.from(space.subarray(0, count)));
  }
}
