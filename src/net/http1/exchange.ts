import { Buffer } from "node:buffer";
import type { Body } from "../byte_source.ts";
import { endToEndTrailers, listHas } from "../http/end_to_end.ts";
import type { Exchange, FieldList, OutgoingResponse } from "../http/exchange.ts";
import { ReplayBody } from "../http/replay_body.ts";
import type { SocketReader } from "../socket_reader.ts";
import type { SocketWriter } from "../socket_writer.ts";
import { type PatienceContext, unlessIdle } from "../http/unless_idle.ts";
import { readBody } from "./body.ts";
import { chunkOf, formatFields, headBytes, lastChunk } from "./format.ts";
import type { Framing } from "./framing.ts";
import type { RequestHead } from "./head.ts";
import { reasonPhrase } from "./reason_phrase.ts";

/** Unread request bodies up to this size are read to their end so that the connection can go on. */
const DRAIN_AT_MOST = 65_536;

/** What is known of a request beyond its head. */
export interface RequestContext {
  readonly scheme: "http" | "https";
  readonly authority: string | undefined;
  /** In origin form. */
  readonly target: string;
}

/** One request on an HTTP/1 connection. */
export class Http1Exchange implements Exchange {
  readonly version: "1.0" | "1.1";
  readonly scheme: "http" | "https";
  readonly method: string;
  readonly authority: string | undefined;
  readonly target: string;
  readonly fields: FieldList;
  readonly spellings: readonly string[];
  readonly body: ReplayBody | undefined;
  readonly wantsWebSocket: boolean;
  /** Whether the connection may carry another request after this one. */
  persistent: boolean;
  /** Whether a response was begun. */
  answered = false;
  #awaitsContinue: boolean;
  readonly #reader: SocketReader;
  readonly #writer: SocketWriter;

  constructor(
    reader: SocketReader,
    writer: SocketWriter,
    head: RequestHead,
    framing: Exclude<Framing, { kind: "bad" }>,
    { scheme, authority, target }: RequestContext,
  ) {
    this.#reader = reader;
    this.#writer = writer;
    this.version = head.version;
    this.scheme = scheme;
    this.method = head.method;
    this.authority = authority;
    this.target = target;
    this.fields = head.fields;
    this.spellings = head.spellings;
    const body = readBody(reader, framing);
    this.body = body && new ReplayBody(body, () => this.inform(100, []));
    this.persistent = head.version === "1.1" && !listHas(head.fields, "connection", "close");
    this.#awaitsContinue = body !== undefined && head.version === "1.1" &&
      listHas(head.fields, "expect", "100-continue");
    this.wantsWebSocket = body === undefined && head.method === "GET" && head.version === "1.1" &&
      listHas(head.fields, "connection", "upgrade") &&
      listHas(head.fields, "upgrade", "websocket");
  }

  get awaitsContinue(): boolean {
    return this.#awaitsContinue;
  }

  get gone(): boolean {
    return this.#reader.ended;
  }

  get onGone(): (() => void) | undefined {
    return this.#reader.onGone;
  }

  set onGone(callback: (() => void) | undefined) {
    this.#reader.onGone = callback;
  }

  inform(status: number, fields: FieldList): void {
    if (this.version === "1.0" || this.answered) return;
    if (status === 100) {
      if (!this.#awaitsContinue) return;
      this.#awaitsContinue = false;
    }
    const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${
      formatFields(fields, undefined)
    }\r\n`;
    // Should the client have gone away, whoever sends the final response hears of it.
    this.#writer.write(headBytes(head))?.catch(() => {});
  }

  async respond(response: OutgoingResponse, progress?: (bytes: number) => void): Promise<void> {
    this.answered = true;
    const { body } = response;
    if (body === undefined || body instanceof Uint8Array) {
      if (!this.#canDrain()) this.persistent = false;
      const head = this.#head(response, this.#emptyFraming(response));
      const whole = body === undefined || this.method === "HEAD" || body.length === 0
        ? head
        : Buffer.concat([head, body]);
      await this.#writer.write(whole);
      progress?.(whole.length - head.length);
      return;
    }
    // RFC 9112, 6.3: HTTP/1.0 knows no chunks; the end of the connection ends the body.
    const chunked = body.length === undefined && this.version === "1.1";
    if (body.length === undefined && !chunked) this.persistent = false;
    const head = this.#head(response, chunked ? "Transfer-Encoding: chunked\r\n" : "");
    await this.#sendBody(head, body, chunked, progress);
  }

  async upgrade(response: OutgoingResponse): Promise<SocketReader> {
    this.answered = true;
    this.persistent = false;
    const head = `HTTP/1.1 101 ${response.reason || reasonPhrase(101)}\r\n${
      formatFields(response.fields, response.spellings)
    }Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    await this.#writer.write(headBytes(head));
    return this.#reader;
  }

  abort(): void {
    this.persistent = false;
    this.#reader.socket.destroy();
  }

  /** Reads what is left of the request. Resolves to whether another one may follow. */
  async finish(context: PatienceContext): Promise<boolean> {
    if (!this.persistent || this.#reader.ended) return false;
    const { body } = this;
    if (body === undefined || body.done) return true;
    if (!this.#canDrain()) return false;
    return await unlessIdle(this, context, (heard) => body.drain(DRAIN_AT_MOST, heard));
  }

  /** Whether the rest of the request body is small, and will come. */
  #canDrain(): boolean {
    const { body } = this;
    if (body === undefined || body.done) return true;
    return !this.#awaitsContinue && body.length !== undefined && body.length <= DRAIN_AT_MOST;
  }

  /** A response without a body says so, or its client waits for one (RFC 9112, 6.3). */
  #emptyFraming({ status, fields, body }: OutgoingResponse): string {
    if (body !== undefined || this.method === "HEAD" || status === 204 || status === 304) return "";
    return fields.some(([name]) => name === "content-length") ? "" : "Content-Length: 0\r\n";
  }

  #head(response: OutgoingResponse, framing: string): Buffer {
    const { status, reason, fields, spellings } = response;
    let text = `HTTP/1.1 ${status} ${reason ?? reasonPhrase(status)}\r\n`;
    text += formatFields(fields, spellings);
    text += framing;
    if (!this.persistent) text += "Connection: close\r\n";
    return headBytes(text + "\r\n");
  }

  async #sendBody(
    head: Buffer,
    body: Body,
    chunked: boolean,
    progress?: (bytes: number) => void,
  ): Promise<void> {
    const writer = this.#writer;
    let pending: Buffer | undefined = head;
    for (;;) {
      const piece = body.take();
      if (piece === null) break;
      if (piece === undefined) {
        if (pending !== undefined) await writer.write(pending);
        pending = undefined;
        await body.wait();
        continue;
      }
      if (piece.length === 0) continue;
      progress?.(piece.length);
      if (pending !== undefined) {
        await writer.write(Buffer.concat([pending, chunked ? chunkOf(piece) : piece]));
        pending = undefined;
      } else if (chunked) {
        await writer.write(chunkOf(piece));
      } else {
        const written = writer.writeBorrowed(piece);
        if (written !== undefined) await written;
      }
    }
    const end = chunked ? lastChunk(endToEndTrailers(body.trailers)) : undefined;
    if (pending !== undefined) await writer.write(end ? Buffer.concat([pending, end]) : pending);
    else if (end !== undefined) await writer.write(end);
  }
}
