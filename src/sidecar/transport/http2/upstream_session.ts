import { Buffer } from "node:buffer";
import type { Body } from "../../../net/byte_source.ts";
import { writeAll } from "../../../net/write_all.ts";
import { closeQuietly } from "../../../net/close_quietly.ts";
import { endToEndTrailers } from "../../../net/http/end_to_end.ts";
import type { FieldList } from "../../../net/http/exchange.ts";
import { countBuffer } from "../../../net/garbage.ts";
import {
  asUpstreamFailure,
  type CallObserver,
  MOST_INTERIM_HEADS,
  type OutgoingRequest,
  type Upstream,
  type UpstreamCall,
  UpstreamFailure,
  type UpstreamResponse,
} from "../upstream.ts";
import { UpstreamBody } from "../upstream_body.ts";
import type { Watch, Watchdog } from "../../../net/watchdog.ts";
import { Http2Connection } from "../../../net/http2/connection.ts";
import * as h2 from "../../../net/http2/frame.ts";
import { readMessageHead } from "../../../net/http2/message_rules.ts";
import type { Http2Stream } from "../../../net/http2/stream.ts";

/**
 * Bytes of one stream, and of all together, that an upstream may send ahead of their readers: an
 * agent may leave a dozen large responses unread and still be answered.
 */
const STREAM_WINDOW = 2_097_152;
const CONNECTION_WINDOW = 33_554_432;
const READ_SIZE = 65_536;
/** How long an upstream may take to read the good-bye. */
const CLOSING_MS = 2_000;
const NOTHING = new Uint8Array();

/** How a session is kept. */
export interface Http2SessionOptions {
  readonly watchdog: Watchdog;
  /** A session without a call is closed after so many milliseconds. */
  readonly idleMs: number;
  readonly headBytes: number;
  /** Called when the session takes no more calls. May be called more than once. */
  readonly lost: () => void;
}

/** A connection to an upstream that speaks HTTP/2. Serves many calls at a time. */
export class Http2UpstreamSession implements Upstream {
  used = false;
  readonly #conn: Deno.Conn;
  readonly #connection: Http2Connection;
  readonly #options: Http2SessionOptions;
  readonly #reading: Promise<void>;
  /** Calls that wait for their turn, in order. */
  readonly #waiting = new Set<() => void>();
  #writing: Promise<void> = Promise.resolve();
  #idle: Watch | undefined;
  #goingAway = false;
  #over = false;

  constructor(conn: Deno.Conn, options: Http2SessionOptions) {
    this.#conn = conn;
    this.#options = options;
    const sink = {
      write: (bytes: Buffer) => this.#writing = this.#writing.then(() => writeAll(conn, bytes)),
      end: () => {
        const close = () => {
          late.clear();
          closeQuietly(conn);
        };
        const late = options.watchdog.watch(CLOSING_MS, close);
        void this.#writing.then(close, close);
      },
    };
    this.#connection = new Http2Connection(sink, {
      role: "client",
      streamWindow: STREAM_WINDOW,
      connectionWindow: CONNECTION_WINDOW,
      maxStreams: 0,
      headBytes: options.headBytes,
    }, {
      opened: () => {},
      goingAway: () => {
        this.#goingAway = true;
        options.lost();
        for (const wake of this.#waiting) wake();
        if (this.#connection.active === 0) this.#connection.close();
      },
      room: () => this.#wakeNext(),
      closed: () => {
        this.#over = true;
        this.#idle?.clear();
        options.lost();
        for (const wake of this.#waiting) wake();
      },
    });
    this.#reading = this.#read();
  }

  call(request: OutgoingRequest, observer: CallObserver): UpstreamCall {
    this.#idle?.clear();
    this.used = true;
    const call = new Http2Call(request, observer);
    let over = false;
    const end = (how: () => void): void => {
      if (over) return;
      over = true;
      how();
      this.#rest();
    };
    return {
      response: call.run(this.#connection, () => this.#turn(call)),
      finish: () => end(() => call.finish()),
      abort: () => end(() => call.abort()),
    };
  }

  release(): void {
    this.#rest();
  }

  /** Closes the session; resolves when nothing waits on its connection any more. */
  async close(): Promise<void> {
    this.#connection.close();
    await this.#reading;
  }

  /** `undefined` when the upstream has room for a call at once; else it may try again then. */
  #turn(call: Http2Call): Promise<void> | undefined {
    if (this.#over || this.#goingAway) {
      throw new UpstreamFailure("upstream closed the session", { unanswered: true });
    }
    if (this.#connection.hasRoom) {
      // There may be room for more than one: whoever has had its turn passes it on.
      if (this.#waiting.size > 0) queueMicrotask(() => this.#wakeNext());
      return undefined;
    }
    if (this.#connection.full) return this.#connection.writable();
    return new Promise<void>((resolve) => {
      const wake = () => {
        // Whoever leaves the queue leaves it whole, or a turn would be lost on it.
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      call.onAbort = wake;
    });
  }

  #wakeNext(): void {
    if (this.#waiting.size === 0 || !this.#connection.hasRoom) return;
    for (const wake of this.#waiting) return wake();
  }

  /** After a call: lets the next one in, and watches over a session that nobody uses. */
  #rest(): void {
    this.#wakeNext();
    if (this.#over || this.#connection.active > 0) return;
    if (this.#goingAway) return this.#connection.close();
    this.#idle?.clear();
    this.#idle = this.#options.watchdog.watch(this.#options.idleMs, () => {
      this.#options.lost();
      this.#connection.close();
    });
  }

  async #read(): Promise<void> {
    const space = new Uint8Array(READ_SIZE);
    try {
      for (;;) {
        const count = await this.#conn.read(space);
        if (count === null) break;
        const bytes = Buffer.from(space.subarray(0, count));
        countBuffer(bytes);
        this.#connection.receive(bytes);
      }
    } catch { /* it broke, which is an end like any other */ }
    this.#connection.lost();
    closeQuietly(this.#conn);
  }
}

class Http2Call {
  /** Called when the call is given up before its turn has come. */
  onAbort: (() => void) | undefined;
  aborted = false;
  #stream: Http2Stream | undefined;
  #bodyFailure: unknown;
  #answered = false;
  #interimHeads = 0;

  constructor(readonly request: OutgoingRequest, readonly observer: CallObserver) {}

  async run(
    connection: Http2Connection,
    turn: () => Promise<void> | undefined,
  ): Promise<UpstreamResponse> {
    try {
      for (let wait = turn(); wait !== undefined; wait = turn()) {
        await wait;
        if (this.aborted) throw new UpstreamFailure("call was given up");
      }
      const { body } = this.request;
      const stream = this.#stream = connection.open(
        requestFields(this.request),
        body === undefined,
      );
      const response = this.#response(stream);
      this.#send(stream).catch((error) => this.#giveUp(error));
      return await response;
    } catch (error) {
      this.abort();
      throw this.#bodyFailure ?? asUpstreamFailure(error, !this.#answered);
    }
  }

  /** The agent has the whole response; a body that is still being sent is no longer wanted. */
  finish(): void {
    this.#stream?.reset(h2.NO_ERROR);
  }

  abort(): void {
    this.aborted = true;
    this.onAbort?.();
    this.#stream?.reset(h2.CANCEL);
  }

  /** The request body broke off, or the stream did: only the former is news. */
  #giveUp(error: unknown): void {
    if (this.#stream?.resetCode === undefined) this.#bodyFailure = error;
    this.abort();
  }

  #response(stream: Http2Stream): Promise<UpstreamResponse> {
    return new Promise((resolve, reject) => {
      let settled = false;
      stream.handler = {
        head: (list, ended) => {
          this.#answered = true;
          const response = this.#readHead(stream, list, ended);
          settled ||= response !== undefined;
          if (response instanceof Error) reject(response);
          else if (response !== undefined) resolve(response);
        },
        closed: (code) => {
          if (settled) return; // every stream ends, and an Error costs its stack trace
          const refused = code === h2.REFUSED_STREAM;
          reject(
            new UpstreamFailure("upstream reset the stream", {
              unanswered: refused || !this.#answered,
            }),
          );
        },
      };
    });
  }

  /** The final response, once its head has come. */
  #readHead(
    stream: Http2Stream,
    list: [string, string][],
    ended: boolean,
  ): UpstreamResponse | Error | undefined {
    const head = readMessageHead(list, [":status"]);
    if (typeof head === "string") return new UpstreamFailure(`response: ${head}`);
    const code = head.pseudo.get(":status") ?? "";
    const status = Number(code);
    if (!/^[1-9][0-9]{2}$/.test(code) || status === 101) {
      return new UpstreamFailure("response: :status is malformed");
    }
    const { fields } = head;
    if (status < 200) {
      if (ended) return new UpstreamFailure("response: ends with an interim head");
      if (++this.#interimHeads > MOST_INTERIM_HEADS) {
        return new UpstreamFailure("response: too many interim heads");
      }
      this.observer.informed(status, fields);
      return undefined;
    }
    stream.receiving = !ended;
    const bodiless = this.request.method === "HEAD" || status === 204 || status === 304;
    const known = { status, reason: undefined, fields, spellings: undefined };
    if (ended) {
      const missing = !bodiless && head.length !== undefined && head.length > 0;
      if (missing) return new UpstreamFailure("response: ends without its body");
      return { ...known, body: undefined };
    }
    stream.length = bodiless ? 0 : head.length;
    return { ...known, body: new UpstreamBody(stream, () => {}) };
  }

  async #send(stream: Http2Stream): Promise<void> {
    const { body } = this.request;
    if (body !== undefined) await this.#sendBody(stream, body);
    this.observer.sentAll();
  }

  async #sendBody(stream: Http2Stream, body: Body): Promise<void> {
    for (;;) {
      const piece = body.take();
      if (piece === null) break;
      if (piece === undefined) {
        await body.wait();
        continue;
      }
      if (stream.over) return;
      this.observer.sent(piece.length);
      const sent = stream.send(piece, false);
      if (sent !== undefined) await sent;
    }
    if (stream.over) return;
    const trailers = endToEndTrailers(body.trailers);
    if (trailers.length > 0) stream.sendHead(trailers, true);
    else await stream.send(NOTHING, true);
  }
}

function requestFields(request: OutgoingRequest): FieldList {
  const fields: (readonly [string, string])[] = [
    [":method", request.method],
    [":scheme", request.scheme],
    [":authority", request.authority],
    [":path", request.target],
    ...request.fields,
  ];
  const { body, takesTrailers } = request;
  if (takesTrailers) fields.push(["te", "trailers"]);
  if (body?.length !== undefined) fields.push(["content-length", String(body.length)]);
  return fields;
}
