import type { Buffer } from "node:buffer";
import { type Body, ConnectionEnded, ProtocolViolation } from "../byte_source.ts";
import type { FieldList } from "../exchange.ts";

/** Who hears of a stream. */
export interface StreamHandler {
  /** A header block that is neither the one that opened the stream nor trailers. */
  head(fields: [string, string][], ended: boolean): void;
  /** The stream is over; `code` says why when that was early. */
  closed(code: number | undefined): void;
}

/** What a stream needs of its connection. */
export interface StreamCarrier {
  sendHeaders(stream: Http2Stream, fields: FieldList, end: boolean): void;
  /** Sends as much as may be sent now; returns how much that was. */
  sendSome(stream: Http2Stream, bytes: Uint8Array, end: boolean): number;
  /** Resolves when more may be sent, perhaps. */
  writable(): Promise<void>;
  /** Bytes of a body were taken: the peer may send as many more. */
  consumed(stream: Http2Stream, count: number): void;
  resetStream(stream: Http2Stream, code: number): void;
}

/** A stream of an HTTP/2 connection: one request and its response. */
export class Http2Stream implements Body {
  readonly id: number;
  handler: StreamHandler | undefined;
  /** Content-Length of what is received; checked against what comes. */
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
  readonly #queue: Buffer[] = [];
  #received = 0;
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

  /** Breaks the stream off. */
  reset(code: number): void {
    this.#carrier.resetStream(this, code);
  }

  take(): Uint8Array | undefined | null {
    const piece = this.#queue.shift();
    if (piece !== undefined) {
      this.#carrier.consumed(this, piece.length);
      return piece;
    }
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
    if (this.#queue.length > 0 || this.receivedAll || this.resetCode !== undefined) {
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Adds what has come. */
  receive(bytes: Buffer): void {
    this.#received += bytes.length;
    if (bytes.length > 0) this.#queue.push(bytes);
    this.#notify();
  }

  /** Nothing more will come. */
  receiveEnd(): void {
    this.receiving = false;
    this.receivedAll = true;
    this.#notify();
  }

  /** Drops what nobody has taken; returns how much that was. */
  discard(): number {
    const size = this.#queue.reduce((sum, piece) => sum + piece.length, 0);
    this.#queue.length = 0;
    return size;
  }

  /** Ends the stream for whoever uses it. */
  finish(code: number | undefined): void {
    this.resetCode ??= code;
    this.#notify();
    const { handler } = this;
    this.handler = undefined;
    handler?.closed(code);
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
    this.#wake = undefined;
    wake?.();
  }
}
