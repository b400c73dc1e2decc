import type { Buffer } from "node:buffer";
import { type Body, ConnectionEnded, ProtocolViolation } from "../byte_source.ts";
import type { FieldList } from "../http/exchange.ts";
import { PieceQueue } from "../piece_queue.ts";

/** Who hears of a stream. */
export interface StreamHandler {
  /** A header block that is neither the one that opened the stream nor trailers. */
  head(fields: [string, string][], ended: boolean): void;
  /** The stream is over; `code` says why when that was early. */
  closed(code: number | undefined): void;
}

/** What a stream needs of its connection. */
export interface StreamCarrier {
  /** Whether so much is on its way that heads should wait for {@linkcode writable}. */
  readonly full: boolean;
  sendHeaders(stream: Http2Stream, fields: FieldList, end: boolean): void;
  /** Sends as much as may be sent now; returns how much that was. */
  sendSome(stream: Http2Stream, bytes: Uint8Array, end: boolean): number;
  /** Resolves when more may be sent, perhaps. */
  writable(): Promise<void>;
  /** Bytes of a body were taken: the peer may send as many more. */
  consumed(stream: Http2Stream, count: number): void;
  /** Bytes that nobody will take were dropped. */
  dropped(count: number): void;
  resetStream(stream: Http2Stream, code: number): void;
}

/** A stream of an HTTP/2 connection: one request and its response. */
export class Http2Stream implements Body {
  readonly id: number;
  handler: StreamHandler | undefined;
  /** Content-Length of what is received; nothing beyond it is ever handed out. */
  length: number | undefined;
  trailers: [string, string][] = [];
  /** What may still be sent, by the peer's leave; it can withdraw more than is left. */
  sendWindow: number;
  /** What the peer may still send. */
  receiveWindow: number;
  /** Bytes that were taken and that the peer was not told of yet. */
  credit = 0;
  /** Whether the head of what is received has come and the end has not. */
  receiving = false;
  receivedAll = false;
  sentAll = false;
  /** Why the stream ended early. */
  resetCode: number | undefined;
  readonly #carrier: StreamCarrier;
  readonly #queue = new PieceQueue();
  #received = 0;
  #fault: string | undefined;
  #dropped = false;
  #waiting: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(carrier: StreamCarrier, id: number, sendWindow: number, receiveWindow: number) {
    this.#carrier = carrier;
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  /** Whether nothing can be sent on it any more. */
  get over(): boolean {
    return this.sentAll || this.resetCode !== undefined;
  }

  /** Whether what is received cannot be used: more of it is of no interest. */
  get faulty(): boolean {
    return this.#fault !== undefined;
  }

  /** Whether all has been received, and it was less than Content-Length said. */
  get short(): boolean {
    return this.receivedAll && this.length !== undefined && this.#received < this.length;
  }

  /** A promise means: send no head before it resolves. */
  room(): Promise<void> | undefined {
    return this.#carrier.full ? this.#waitForRoom() : undefined;
  }

  /** Sends a header block. */
  sendHead(fields: FieldList, end: boolean): void {
    if (this.over) throw new ConnectionEnded("stream is closed");
    this.#carrier.sendHeaders(this, fields, end);
  }

  /** Sends bytes; a promise means that the peer takes no more, and that they must stay as they are. */
  send(bytes: Uint8Array, end: boolean): Promise<void> | undefined {
    if (this.over) throw new ConnectionEnded("stream is closed");
    const sent = this.#carrier.sendSome(this, bytes, end);
    if (sent === bytes.length && (!end || this.sentAll)) return undefined;
    return this.#sendRest(bytes.subarray(sent), end);
  }

  /** Breaks the stream off, if it is still open, and drops what nobody has taken. */
  reset(code: number): void {
    this.#carrier.resetStream(this, code);
    this.drop();
  }

  take(): Uint8Array | undefined | null {
    if (this.#fault !== undefined) throw new ProtocolViolation(this.#fault);
    const piece = this.#queue.shift();
    if (piece !== undefined) {
      this.#carrier.consumed(this, piece.length);
      return piece;
    }
    if (this.#dropped) throw new ConnectionEnded("rest of the body was dropped");
    if (!this.receivedAll) {
      if (this.resetCode !== undefined) throw new ConnectionEnded("stream was reset within a body");
      return undefined;
    }
    if (this.length !== undefined && this.#received !== this.length) {
      throw new ProtocolViolation("body is not as long as Content-Length says");
    }
    return null;
  }

  wait(): Promise<void> {
    const news = this.#queue.size > 0 || this.receivedAll || this.faulty;
    if (news || this.resetCode !== undefined) return Promise.resolve();
    return this.#waiting ??= new Promise((resolve) => this.#wake = resolve);
  }

  /** Adds what has come. */
  receive(bytes: Buffer): void {
    this.#received += bytes.length;
    // At once: what is beyond the length would be a request of its own to an HTTP/1.1 upstream.
    if (this.length !== undefined && this.#received > this.length) {
      this.#carrier.dropped(bytes.length);
      return this.fail("body is longer than Content-Length says");
    }
    this.#queue.push(bytes);
    this.#notify();
  }

  /** What comes cannot be used: whoever reads hears why. */
  fail(fault: string): void {
    this.#fault ??= fault;
    this.#notify();
  }

  /** Nothing more will come. */
  receiveEnd(): void {
    this.receiving = false;
    this.receivedAll = true;
    this.#notify();
  }

  /** Drops what nobody has taken; its reader, should there be one, does not take that for the end. */
  drop(): void {
    const size = this.#queue.clear();
    if (size === 0) return;
    this.#dropped = true;
    this.#carrier.dropped(size);
  }

  /** Ends the stream for whoever uses it. */
  finish(code: number | undefined): void {
    this.resetCode ??= code;
    this.receiving = false;
    this.#notify();
    const { handler } = this;
    this.handler = undefined;
    handler?.closed(code);
  }

  async #waitForRoom(): Promise<void> {
    while (this.#carrier.full && this.resetCode === undefined) await this.#carrier.writable();
  }

  async #sendRest(bytes: Uint8Array, end: boolean): Promise<void> {
    for (let sent = 0; sent < bytes.length || (end && !this.sentAll);) {
      await this.#carrier.writable();
      if (this.resetCode !== undefined) throw new ConnectionEnded("stream was reset");
      sent += this.#carrier.sendSome(this, bytes.subarray(sent), end);
    }
  }

  #notify(): void {
    const wake = this.#wake;
    this.#waiting = this.#wake = undefined;
    wake?.();
  }
}
