import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import type { Duplex } from "node:stream";
import type { Route } from "../../gate.ts";
import type { Body } from "../byte_source.ts";
import {
  asUpstreamFailure,
  type CallObserver,
  type OutgoingRequest,
  type Upstream,
  type UpstreamCall,
  UpstreamFailure,
  type UpstreamResponse,
} from "../upstream.ts";
import { UpstreamBody } from "../upstream_body.ts";
import type { Watch, Watchdog } from "../watchdog.ts";
import { ConnDuplex } from "./conn_duplex.ts";
import { addFields, fieldsOf, sendTrailers } from "./fields.ts";
import { StreamBody } from "./stream_body.ts";

/** Bytes of one stream, and of all together, that an upstream may send ahead of their readers. */
const STREAM_WINDOW = 1_048_576;
const SESSION_WINDOW = 4_194_304;
const BODY_HIGH_WATER = 262_144;

/** Stands for the end of a stream; each stream ends, so an error for each would be a waste. */
const CLOSED = Symbol("closed");

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** How a session is kept. */
export interface Http2SessionOptions {
  readonly watchdog: Watchdog;
  /** A session without a call is closed after so many milliseconds. */
  readonly idleMs: number;
  /** Called when the session takes no more calls. May be called more than once. */
  readonly lost: () => void;
}

/** A connection to an upstream that speaks HTTP/2. Serves many calls at a time. */
export class Http2UpstreamSession implements Upstream {
  used = false;
  readonly #session: ClientHttp2Session;
  readonly #options: Http2SessionOptions;
  readonly #closed: Promise<void>;
  #idle: Watch | undefined;
  #active = 0;

  constructor(conn: Deno.Conn, route: Route, options: Http2SessionOptions) {
    this.#options = options;
    const duplex = new ConnDuplex(conn);
    this.#closed = new Promise((resolve) => duplex.once("close", resolve));
    const session = this.#session = connect(`https://${route.host}:${route.port}`, {
      createConnection: (): Duplex => duplex,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    session.once("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW);
    });
    session.on("error", options.lost);
    session.on("goaway", options.lost);
    session.on("close", () => {
      this.#idle?.clear();
      options.lost();
    });
  }

  call(request: OutgoingRequest, observer: CallObserver): UpstreamCall {
    this.#active++;
    this.#idle?.clear();
    const call = new Http2Call(this.#session, request, observer);
    const response = call.run();
    this.used = true;
    let over = false;
    const end = (how: () => void): void => {
      if (over) return;
      over = true;
      how();
      if (--this.#active === 0) this.#rest();
    };
    return {
      response,
      finish: () => end(() => call.finish()),
      abort: () => end(() => call.abort()),
    };
  }

  release(): void {
    if (this.#active === 0) this.#rest();
  }

  /** Closes the session; resolves when nothing waits on its connection any more. */
  close(): Promise<void> {
    this.#idle?.clear();
    this.#session.destroy();
    return this.#closed;
  }

  #rest(): void {
    this.#idle?.clear();
    if (this.#session.closed || this.#session.destroyed) return;
    this.#idle = this.#options.watchdog.watch(this.#options.idleMs, () => {
      this.#options.lost();
      this.#session.close();
    });
  }
}

class Http2Call {
  #stream: ClientHttp2Stream | undefined;
  #bodyFailure: unknown;
  #sentAll = false;

  constructor(
    readonly session: ClientHttp2Session,
    readonly request: OutgoingRequest,
    readonly observer: CallObserver,
  ) {}

  async run(): Promise<UpstreamResponse> {
    try {
      return await this.#run();
    } catch (error) {
      this.abort();
      if (this.#bodyFailure !== undefined) throw this.#bodyFailure;
      if (error === CLOSED) {
        throw new UpstreamFailure("upstream reset the stream", { unanswered: true });
      }
      throw asUpstreamFailure(error, true);
    }
  }

  /** The agent has the whole response; a body that is still being sent is no longer wanted. */
  finish(): void {
    if (!this.#sentAll) this.#stream?.close(constants.NGHTTP2_NO_ERROR);
  }

  abort(): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #run(): Promise<UpstreamResponse> {
    const { request } = this;
    const { body } = request;
    const headers = addFields({
      ":method": request.method,
      ":scheme": request.scheme,
      ":authority": request.authority,
      ":path": request.target,
    }, request.fields);
    if (request.takesTrailers) headers["te"] = "trailers";
    if (body?.length !== undefined) headers["content-length"] = String(body.length);
    const stream = this.#stream = this.session.request(headers, {
      endStream: body === undefined,
      waitForTrailers: body !== undefined,
    });
    const response = new Promise<UpstreamResponse>((resolve, reject) => {
      stream.on("response", (head: ResponseHeaders, _flags: number, raw?: string[]) => {
        resolve(this.#response(stream, head, raw));
      });
      stream.on("headers", (head: ResponseHeaders, _flags: number, raw?: string[]) => {
        this.observer.informed(Number(head[":status"]), fieldsOf(head, raw));
      });
      stream.on("continue", () => this.observer.informed(100, []));
      stream.on("error", reject);
      stream.on("close", () => reject(CLOSED));
    });
    if (body === undefined) {
      this.#sentAll = true;
      this.observer.sentAll();
    } else {
      this.#send(stream, body).catch((error) => {
        this.#bodyFailure = error;
        this.abort();
      });
    }
    return response;
  }

  async #send(stream: ClientHttp2Stream, body: Body): Promise<void> {
    stream.on("wantTrailers", () => sendTrailers(stream, body.trailers));
    for (;;) {
      const piece = body.take();
      if (piece === null) break;
      if (piece === undefined) {
        await body.wait();
        continue;
      }
      if (stream.destroyed || stream.closed) return;
      this.observer.sent(piece.length);
      if (!stream.write(piece)) await drained(stream);
    }
    stream.end();
    this.#sentAll = true;
    this.observer.sentAll();
  }

  #response(stream: ClientHttp2Stream, head: ResponseHeaders, raw?: string[]): UpstreamResponse {
    const status = Number(head[":status"]);
    const length = head["content-length"];
    const bodiless = this.request.method === "HEAD" || status === 204 || status === 304;
    if (bodiless || stream.endAfterHeaders) {
      stream.resume();
      return {
        status,
        reason: undefined,
        fields: fieldsOf(head, raw),
        spellings: undefined,
        body: undefined,
      };
    }
    const known = length === undefined ? undefined : Number(length);
    const source = new StreamBody(stream, known, BODY_HIGH_WATER);
    source.begin();
    const body = new UpstreamBody(source, () => {});
    return { status, reason: undefined, fields: fieldsOf(head, raw), spellings: undefined, body };
  }
}

/** Resolves when `stream` takes more or is over. */
function drained(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}
