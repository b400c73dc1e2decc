import { Buffer } from "node:buffer";
import type { FieldList } from "../http/exchange.ts";
import type { Http2Handler, Http2Options } from "./connection_options.ts";
import { FrameReader } from "./frame_reader.ts";
import * as h2 from "./frame.ts";
import { CompressionError, HpackDecoder } from "./hpack_decoder.ts";
import { encodeHpack } from "./hpack_encoder.ts";
import { readMessageHead } from "./message_rules.ts";
import { Output, type Sink } from "./output.ts";
import { Patience } from "./patience.ts";
import { PeerSettings } from "./peer_settings.ts";
import { Http2Stream, type StreamCarrier } from "./stream.ts";

/** Stream numbers end somewhere above; a client then needs another connection. */
const LAST_STREAM = 0x7fff_ff00;
const NOTHING = Buffer.alloc(0);
const PING = Buffer.alloc(8);

/**
 * An HTTP/2 connection (RFC 9113), of either side. It is firma's own because `node:http2` of
 * Deno 2.9 corrupts memory when a peer says good-bye with GOAWAY, which any client may do.
 */
export class Http2Connection implements StreamCarrier {
  readonly #options: Http2Options;
  readonly #handler: Http2Handler;
  readonly #output: Output;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #peer = new PeerSettings();
  readonly #patience = new Patience();
  #sendWindow = h2.DEFAULT_WINDOW;
  #receiveWindow: number;
  #credit = 0;
  #nextStream = 1;
  #lastPeerStream = 0;
  #saidHello = false;
  #over = false;
  /** Something may be sent now that could not be before. */
  #widened = false;

  constructor(sink: Sink, options: Http2Options, handler: Http2Handler) {
    this.#options = options;
    this.#handler = handler;
    this.#output = new Output(sink, (error) => error ? this.#fail(error, error.code) : this.lost());
    this.#decoder = new HpackDecoder(4_096, options.headBytes);
    this.#reader = new FrameReader(options.role === "server", options.headBytes);
    this.#receiveWindow = options.connectionWindow;
    const client = options.role === "client";
    if (client) this.#output.push(h2.PREFACE);
    this.#output.push(h2.settingsFrame([
      ...(client ? [[h2.ENABLE_PUSH, 0] as const] : []),
      [h2.MAX_CONCURRENT_STREAMS, options.maxStreams],
      [h2.INITIAL_WINDOW_SIZE, options.streamWindow],
      [h2.MAX_HEADER_LIST_SIZE, options.headBytes],
    ]));
    const more = options.connectionWindow - h2.DEFAULT_WINDOW;
    if (more > 0) this.#output.push(h2.numbersFrame(h2.WINDOW_UPDATE, 0, more));
  }

  /** Streams that are open. */
  get active(): number {
    return this.#streams.size;
  }

  /** Whether this side may open another stream now. */
  get hasRoom(): boolean {
    return this.#streams.size < this.#peer.maxStreams && this.#nextStream < LAST_STREAM &&
      !this.full;
  }

  get full(): boolean {
    return this.#output.full;
  }

  /** Whether the peer has begun to say something that it must not take long over. */
  get midway(): boolean {
    return this.#reader.midway;
  }

  /** Opens a stream with a request, as long as {@linkcode hasRoom}; clients only. */
  open(fields: FieldList, end: boolean): Http2Stream {
    const stream = this.#create(this.#nextStream);
    this.#nextStream += 2;
    this.sendHeaders(stream, fields, end);
    if (this.#nextStream >= LAST_STREAM) this.#handler.goingAway();
    return stream;
  }

  /** Takes what came from the peer. `bytes` belong to the connection from now on. */
  receive(bytes: Buffer): void {
    try {
      for (const frame of this.#reader.read(bytes)) {
        if (this.#over) return;
        this.#receiveFrame(frame.type, frame.flags, frame.streamId, frame.payload);
      }
      if (!this.#widened) return;
      // Once for all that came: a peer that widens by a byte at a time wakes nobody for each.
      this.#widened = false;
      this.#output.wake();
      this.#handler.room();
    } catch (error) {
      if (error instanceof h2.ConnectionError) this.#fail(error, error.code);
      else if (error instanceof CompressionError) this.#fail(error, h2.COMPRESSION_ERROR);
      else this.#fail(error as Error, h2.INTERNAL_ERROR);
    }
  }

  /** The transport below has ended or broken. */
  lost(): void {
    this.#end(undefined);
  }

  /** Says good-bye for a reason that is the peer's, and closes. */
  refuse(reason: string): void {
    this.#fail(new h2.ConnectionError(h2.ENHANCE_YOUR_CALM, reason), h2.ENHANCE_YOUR_CALM);
  }

  /** Says good-bye and closes; streams that are open are lost. */
  close(): void {
    if (this.#over) return;
    this.#sayGoodbye(h2.NO_ERROR);
    this.#end(undefined);
  }

  /** Asks the peer whether it is there: it has to say something. */
  ping(): void {
    this.#output.push(h2.frame(h2.PING, 0, 0, PING));
  }

  sendHeaders(stream: Http2Stream, fields: FieldList, end: boolean): void {
    const block = encodeHpack(fields, !this.#saidHello);
    this.#saidHello = true;
    for (const frame of h2.headersFrames(stream.id, block, end, this.#peer.maxFrame)) {
      this.#output.push(frame);
    }
    if (end) this.#sentAll(stream);
  }

  sendSome(stream: Http2Stream, bytes: Uint8Array, end: boolean): number {
    let sent = 0;
    while (sent < bytes.length && !this.#output.congested) {
      const left = bytes.length - sent;
      const size = Math.min(left, this.#peer.maxFrame, stream.sendWindow, this.#sendWindow);
      if (size <= 0) return sent;
      const flags = end && size === left ? h2.END_STREAM : 0;
      const piece = bytes.subarray(sent, sent + size);
      this.#output.push(h2.frame(h2.DATA, flags, stream.id, piece));
      this.#patience.useful();
      stream.sendWindow -= size;
      this.#sendWindow -= size;
      sent += size;
      if (flags !== 0) this.#sentAll(stream);
    }
    if (end && bytes.length === 0) {
      this.#output.push(h2.frame(h2.DATA, h2.END_STREAM, stream.id, bytes));
      this.#sentAll(stream);
    }
    return sent;
  }

  writable(): Promise<void> {
    return this.#output.room();
  }

  consumed(stream: Http2Stream, count: number): void {
    if (this.#over) return;
    const { streamWindow } = this.#options;
    stream.credit += count;
    if (stream.credit * 2 >= streamWindow && stream.receiving) {
      this.#output.push(h2.numbersFrame(h2.WINDOW_UPDATE, stream.id, stream.credit));
      stream.receiveWindow += stream.credit;
      stream.credit = 0;
    }
    this.#returnCredit(count);
  }

  dropped(count: number): void {
    this.#returnCredit(count);
  }

  resetStream(stream: Http2Stream, code: number): void {
    if (!this.#streams.has(stream.id)) return;
    this.#output.push(h2.numbersFrame(h2.RST_STREAM, stream.id, code));
    this.#forget(stream, code);
  }

  /** Resets a stream on which the peer broke the rules. */
  #punish(stream: Http2Stream, code: number): void {
    this.#patience.reset();
    this.resetStream(stream, code);
  }

  #create(id: number): Http2Stream {
    const stream = new Http2Stream(this, id, this.#peer.window, this.#options.streamWindow);
    this.#streams.set(id, stream);
    return stream;
  }

  #receiveFrame(type: number, flags: number, id: number, payload: Buffer): void {
    switch (type) {
      case h2.DATA:
        return this.#receiveData(flags, id, payload);
      case h2.HEADERS:
        return this.#receiveHeaders(id, payload, (flags & h2.END_STREAM) !== 0);
      case h2.RST_STREAM: {
        this.#patience.reset();
        const stream = this.#known(id);
        if (stream !== undefined) this.#forget(stream, payload.readUInt32BE(0));
        return;
      }
      case h2.SETTINGS:
        this.#patience.noise();
        if ((flags & h2.ACK) === 0) this.#receiveSettings(payload);
        return;
      case h2.PING:
        this.#patience.noise();
        if ((flags & h2.ACK) === 0) this.#output.push(h2.frame(h2.PING, h2.ACK, 0, payload));
        return;
      case h2.GOAWAY:
        this.#patience.noise();
        return this.#receiveGoaway(payload.readUInt32BE(0) & 0x7fff_ffff);
      case h2.WINDOW_UPDATE:
        this.#patience.noise();
        return this.#receiveWindowUpdate(id, payload.readUInt32BE(0) & 0x7fff_ffff);
      default: // PRIORITY, and what this side does not know
        this.#patience.noise();
    }
  }

  #receiveData(flags: number, id: number, payload: Buffer): void {
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) {
      throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, "peer sent more than it may");
    }
    const stream = this.#known(id);
    const ended = (flags & h2.END_STREAM) !== 0;
    if (stream === undefined || !stream.receiving || stream.faulty) {
      this.#returnCredit(payload.length);
      if (stream === undefined) return;
      if (!stream.receiving) return this.#punish(stream, h2.STREAM_CLOSED);
      if (ended) this.#receivedAll(stream);
      return;
    }
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) {
      this.#returnCredit(payload.length);
      return this.#punish(stream, h2.FLOW_CONTROL_ERROR);
    }
    const bytes = h2.unpadded(h2.DATA, flags, payload);
    if (bytes.length > 0) this.#patience.useful();
    else if (!ended) this.#patience.noise();
    if (bytes.length < payload.length) this.consumed(stream, payload.length - bytes.length);
    stream.receive(bytes);
    if (ended) this.#receivedAll(stream);
  }

  #receiveHeaders(id: number, block: Buffer, ended: boolean): void {
    const { fields, tooLarge } = this.#decoder.decode(block);
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#options.role === "client" || id <= this.#lastPeerStream) {
        this.#known(id); // what comes for a stream that was reset is of no interest
        return this.#patience.noise();
      }
      if (id % 2 === 0) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "stream number is even");
      this.#lastPeerStream = id;
      if (this.#streams.size >= this.#options.maxStreams) {
        this.#patience.reset();
        this.#output.push(h2.numbersFrame(h2.RST_STREAM, id, h2.REFUSED_STREAM));
        return;
      }
      stream = this.#create(id);
      stream.receiving = !ended;
      stream.receivedAll = ended;
      return this.#handler.opened(stream, tooLarge ? undefined : fields, ended);
    }
    if (stream.receivedAll) return this.#punish(stream, h2.STREAM_CLOSED);
    if (!stream.receiving) {
      if (tooLarge) return this.#punish(stream, h2.PROTOCOL_ERROR);
      stream.receivedAll = ended;
      stream.handler?.head(fields, ended);
      if (ended) this.#receivedAll(stream);
      return;
    }
    // A second block is trailers, and they end the stream (RFC 9113, 8.1).
    const trailers = tooLarge ? "too large" : readMessageHead(fields, []);
    if (typeof trailers === "string") stream.fail(`trailers: ${trailers}`);
    else if (!ended) stream.fail("trailers do not end the stream");
    else stream.trailers = trailers.fields;
    if (ended) this.#receivedAll(stream);
  }

  #receiveSettings(payload: Buffer): void {
    const widened = this.#peer.apply(payload);
    for (const stream of this.#streams.values()) {
      stream.sendWindow += widened;
      if (stream.sendWindow > h2.MAX_WINDOW) {
        throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, "window is too large");
      }
    }
    this.#output.push(h2.frame(h2.SETTINGS, h2.ACK, 0, NOTHING));
    this.#widened = true;
  }

  #receiveGoaway(lastStream: number): void {
    this.#handler.goingAway();
    if (this.#options.role === "server") return;
    for (const stream of [...this.#streams.values()]) {
      if (stream.id > lastStream) this.#forget(stream, h2.REFUSED_STREAM);
    }
  }

  #receiveWindowUpdate(id: number, increment: number): void {
    const stream = id === 0 ? undefined : this.#known(id);
    if (increment === 0) {
      if (id === 0) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "window grows by nothing");
      if (stream !== undefined) this.#punish(stream, h2.PROTOCOL_ERROR);
      return;
    }
    if (id === 0) {
      this.#sendWindow += increment;
      if (this.#sendWindow > h2.MAX_WINDOW) {
        throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, "window is too large");
      }
    } else if (stream !== undefined) {
      stream.sendWindow += increment;
      if (stream.sendWindow > h2.MAX_WINDOW) this.#punish(stream, h2.FLOW_CONTROL_ERROR);
    }
    this.#widened = true;
  }

  /** The stream of that number, if it is still open. Throws when it never was. */
  #known(id: number): Http2Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream;
    const ours = (id % 2 === 1) === (this.#options.role === "client");
    if (ours ? id >= this.#nextStream : id > this.#lastPeerStream) {
      throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "frame for a stream that was never opened");
    }
    return undefined;
  }

  #sentAll(stream: Http2Stream): void {
    stream.sentAll = true;
    if (stream.receivedAll) this.#forget(stream, undefined);
  }

  #receivedAll(stream: Http2Stream): void {
    stream.receiveEnd();
    if (!stream.sentAll) return;
    // RFC 9113, 8.1.1. A curl 7 that ends its upload so, because it has been answered, waits for it.
    if (stream.short) this.resetStream(stream, h2.PROTOCOL_ERROR);
    else this.#forget(stream, undefined);
  }

  #forget(stream: Http2Stream, code: number | undefined): void {
    this.#streams.delete(stream.id);
    // A request that breaks off is of no use. Of a response, what has come is handed on first.
    const useless = code !== undefined && !stream.receivedAll && this.#options.role === "server";
    if (useless) stream.drop();
    stream.finish(code);
    this.#output.wake();
  }

  #returnCredit(count: number): void {
    this.#credit += count;
    if (this.#over || this.#credit * 2 < this.#options.connectionWindow) return;
    this.#output.push(h2.numbersFrame(h2.WINDOW_UPDATE, 0, this.#credit));
    this.#receiveWindow += this.#credit;
    this.#credit = 0;
  }

  #fail(error: Error, code: number): void {
    if (this.#over) return;
    this.#sayGoodbye(code);
    this.#end(error);
  }

  #sayGoodbye(code: number): void {
    this.#output.push(h2.numbersFrame(h2.GOAWAY, 0, this.#lastPeerStream, code));
  }

  #end(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    for (const stream of [...this.#streams.values()]) this.#forget(stream, h2.CANCEL);
    this.#output.end();
    this.#handler.closed(error);
  }
}
