import { Buffer } from "node:buffer";
import type { Body } from "../../../net/byte_source.ts";
import { writeAll } from "../../../net/write_all.ts";
import { ConnReader } from "../conn_reader.ts";
import { closeQuietly } from "../../../net/close_quietly.ts";
import { endToEndTrailers, listHas } from "../../../net/http/end_to_end.ts";
import {
  asUpstreamFailure,
  type CallObserver,
  MOST_INTERIM_HEADS,
  type OutgoingRequest,
  type UpstreamCall,
  UpstreamFailure,
  type UpstreamResponse,
} from "../upstream.ts";
import { UpstreamBody } from "../upstream_body.ts";
import { readBody } from "../../../net/http1/body.ts";
import { responseFraming } from "../../../net/http1/framing.ts";
import { parseResponseHead, type ResponseHead } from "../../../net/http1/head.ts";
import { chunkOf, headBytes, lastChunk } from "../../../net/http1/format.ts";
import { formatRequestHead } from "./request_head.ts";

/** Request bodies that are at hand and this small travel with their head. */
const ONE_WRITE = 16_384;

/** A connection to an upstream that speaks HTTP/1.1. Serves one call at a time. */
export class Http1UpstreamConnection {
  /** Calls that it has completed. */
  served = 0;
  readonly #conn: Deno.Conn;
  readonly #reader: ConnReader;
  readonly #headBytes: number;
  #closed = false;

  constructor(conn: Deno.Conn, headBytes: number) {
    this.#conn = conn;
    this.#reader = new ConnReader(conn);
    this.#headBytes = headBytes;
  }

  /** Sends a request. `release` is called when the connection may serve another call. */
  call(request: OutgoingRequest, observer: CallObserver, release: () => void): UpstreamCall {
    const call = new Http1Call(this, this.#conn, this.#reader, this.#headBytes, request, observer);
    return {
      response: call.run(),
      finish: () => {
        if (call.reusable) {
          this.served++;
          release();
        } else this.close();
      },
      abort: () => this.close(),
    };
  }

  /**
   * Watches the connection while no call uses it, and calls `lost` when the upstream
   * closes it or speaks without having been asked: it cannot be used then.
   */
  idle(lost: () => void): void {
    const served = this.served;
    const check = () => {
      if (this.served === served && !this.#busy) lost();
    };
    this.#busy = false;
    if (this.#reader.buffered.length > 0) check();
    else this.#reader.fill().then(check, check);
  }

  #busy = true;

  /** Ends the watch that {@linkcode idle} began. */
  take(): void {
    this.#busy = true;
  }

  /** Closes the connection; resolves when nothing waits on it any more. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      closeQuietly(this.#conn);
    }
    return this.#reader.settled();
  }
}

class Http1Call {
  reusable = false;
  #sent: "sending" | "sent" | "failed" = "sending";
  #bodyFailure: unknown;
  #answered = false;

  constructor(
    readonly connection: Http1UpstreamConnection,
    readonly conn: Deno.Conn,
    readonly reader: ConnReader,
    readonly headBytes: number,
    readonly request: OutgoingRequest,
    readonly observer: CallObserver,
  ) {}

  async run(): Promise<UpstreamResponse> {
    this.#send().catch(() => this.#sent = "failed");
    try {
      return await this.#response();
    } catch (error) {
      this.connection.close();
      if (this.#bodyFailure !== undefined) throw this.#bodyFailure;
      throw asUpstreamFailure(error, !this.#answered);
    }
  }

  async #send(): Promise<void> {
    const { body } = this.request;
    const head = headBytes(formatRequestHead(this.request));
    if (body === undefined) {
      this.#sent = "sent";
      this.observer.sentAll();
      return await writeAll(this.conn, head);
    }
    await this.#sendBody(head, body);
    this.#sent = "sent";
    this.observer.sentAll();
  }

  async #sendBody(head: Buffer, body: Body): Promise<void> {
    const chunked = body.length === undefined;
    let first: Buffer | undefined = head;
    for (;;) {
      let piece: Uint8Array | undefined | null;
      try {
        piece = body.take();
        if (piece === undefined) {
          if (first !== undefined) await writeAll(this.conn, first);
          first = undefined;
          await body.wait();
          continue;
        }
      } catch (error) {
        // The upstream must not take what came so far for the whole.
        this.#bodyFailure = error;
        this.connection.close();
        throw error;
      }
      if (piece === null) break;
      if (piece.length === 0) continue; // an empty chunk would end the body
      this.observer.sent(piece.length);
      const bytes = chunked ? chunkOf(piece) : piece;
      if (first === undefined) await writeAll(this.conn, bytes);
      else if (bytes.length <= ONE_WRITE) await writeAll(this.conn, Buffer.concat([first, bytes]));
      else {
        await writeAll(this.conn, first);
        await writeAll(this.conn, bytes);
      }
      first = undefined;
    }
    const end = chunked ? lastChunk(endToEndTrailers(body.trailers)) : undefined;
    if (first !== undefined) await writeAll(this.conn, end ? Buffer.concat([first, end]) : first);
    else if (end !== undefined) await writeAll(this.conn, end);
  }

  async #response(): Promise<UpstreamResponse> {
    for (let interim = 0; interim <= MOST_INTERIM_HEADS; interim++) {
      const head = await this.#head();
      if (head.status === 101) {
        if (!this.request.webSocket) {
          throw new UpstreamFailure("upstream switched protocols unasked");
        }
        const upgraded = { conn: this.conn, reader: this.reader };
        return { ...head, body: undefined, upgraded };
      }
      if (head.status >= 200) return this.#final(head);
      this.observer.informed(head.status, head.fields);
    }
    throw new UpstreamFailure("response: too many interim heads");
  }

  async #head(): Promise<ResponseHead> {
    for (;;) {
      const reading = parseResponseHead(this.reader.buffered, this.headBytes);
      if (reading.kind === "head") {
        this.reader.consume(reading.size);
        this.#answered = true;
        return reading.head;
      }
      if (reading.kind === "bad") throw new UpstreamFailure(`response: ${reading.detail}`);
      if (this.reader.buffered.length > 0) this.#answered = true;
      if (!(await this.reader.fill())) {
        throw new UpstreamFailure("upstream closed the connection without an answer", {
          unanswered: !this.#answered,
        });
      }
    }
  }

  #final(head: ResponseHead): UpstreamResponse {
    const framing = responseFraming(head, this.request.method);
    if (framing.kind === "bad") throw new UpstreamFailure(`response: ${framing.detail}`);
    const persistent = head.version === "1.1" && framing.kind !== "close" &&
      !listHas(head.fields, "connection", "close");
    const body = readBody(this.reader, framing);
    const { status, reason, fields, spellings } = head;
    const ended = () => this.reusable = persistent && this.#sent === "sent";
    if (body === undefined) ended();
    return { status, reason, fields, spellings, body: body && new UpstreamBody(body, ended) };
  }
}
