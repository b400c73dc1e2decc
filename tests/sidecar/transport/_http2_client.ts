import { Buffer } from "node:buffer";
import type { FieldList } from "../../../src/net/http/exchange.ts";
import type { Http2Connection } from "../../../src/net/http2/connection.ts";
import type { Http2Stream } from "../../../src/net/http2/stream.ts";
import { type CarriedHttp2, carryHttp2 } from "../../fixtures/http2_conn.ts";
import type { Harness } from "./_harness.ts";
import { openTlsTunnel } from "./_raw.ts";

/** A response with everything that came of it. */
export interface Http2Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly fields: FieldList;
  readonly trailers: FieldList;
  readonly body: Buffer;
  /** Why the stream ended early, if it did. */
  readonly resetCode: number | undefined;
}

/** What to send. */
export interface Http2Request {
  /** Without `:authority` and the like it is a GET of the host that the client was opened for. */
  readonly fields: FieldList;
  readonly body?: string | Uint8Array;
  readonly trailers?: FieldList;
  /** Sends nothing more after the body, but does not end the request either. */
  readonly unfinished?: boolean;
}

/** An HTTP/2 client in the sandbox: CONNECT, TLS, then streams. */
export class Http2Client implements AsyncDisposable {
  /** What it speaks through, for what a client should not do. */
  readonly conn: Deno.Conn;
  readonly #carried: CarriedHttp2;
  readonly #host: string;

  constructor(conn: Deno.Conn, host: string, streamWindow?: number) {
    this.conn = conn;
    this.#host = host;
    this.#carried = carryHttp2(conn, "client", {
      opened: () => {},
      goingAway: () => {},
      room: () => {},
      closed: () => {},
    }, streamWindow);
  }

  /** `streamWindow` is how much of a response may come before it is read. */
  static async open(harness: Harness, host: string, streamWindow?: number): Promise<Http2Client> {
    const raw = await openTlsTunnel(harness, host, { alpn: ["h2"] });
    return new Http2Client(raw.conn, host, streamWindow);
  }

  get connection(): Http2Connection {
    return this.#carried.connection;
  }

  /** Resolves when the connection is over. */
  get done(): Promise<void> {
    return this.#carried.done;
  }

  /** Opens a stream without waiting for its answer. */
  start(request: Http2Request): { stream: Http2Stream; answer: Promise<Http2Answer> } {
    const { fields, body, trailers } = request;
    const defaults = [[":method", "GET"], [":scheme", "https"], [
      ":authority",
      this.#host,
    ]] as const;
    const missing = defaults.filter(([name]) => !fields.some(([given]) => given === name));
    const pseudo = [...missing, ...fields.filter(([name]) => name.startsWith(":"))];
    const all = [...pseudo, ...fields.filter(([name]) => !name.startsWith(":"))];
    const stream = this.connection.open(all, body === undefined && request.unfinished !== true);
    const answer = readAnswer(stream);
    if (body !== undefined) void send(stream, body, trailers, request.unfinished).catch(() => {});
    return { stream, answer };
  }

  /** Sends a request and reads the whole answer. */
  request(fields: FieldList, more: Omit<Http2Request, "fields"> = {}): Promise<Http2Answer> {
    return this.start({ fields, ...more }).answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
    await this.done;
  }
}

async function send(
  stream: Http2Stream,
  body: string | Uint8Array,
  trailers: FieldList = [],
  unfinished = false,
): Promise<void> {
  await stream.send(Buffer.from(body as Uint8Array), trailers.length === 0 && !unfinished);
  if (trailers.length > 0) stream.sendHead(trailers, true);
}

function readAnswer(stream: Http2Stream): Promise<Http2Answer> {
  return new Promise((resolve) => {
    let fields: FieldList = [];
    const pieces: Uint8Array[] = [];
    const finish = (resetCode: number | undefined) => {
      const status = Number(fields.find(([name]) => name === ":status")?.[1] ?? 0);
      const body = Buffer.concat(pieces);
      resolve({ status, fields, trailers: stream.trailers, body, resetCode });
    };
    const read = async () => {
      for (;;) {
        const piece = stream.take();
        if (piece === null) return finish(undefined);
        if (piece === undefined) await stream.wait();
        else pieces.push(Buffer.from(piece));
      }
    };
    stream.handler = {
      head: (list, ended) => {
        if (list.some(([name, value]) => name === ":status" && value.startsWith("1"))) return;
        fields = list;
        stream.receiving = !ended;
        read().catch(() => finish(stream.resetCode));
      },
      closed: (code) => {
        if (fields.length === 0) finish(code);
      },
    };
  });
}
