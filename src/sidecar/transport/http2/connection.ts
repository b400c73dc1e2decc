import { Buffer } from "node:buffer";
import type { FieldList } from "../exchange.ts";
import { FrameReader } from "./frame_reader.ts";
import * as h2 from "./frame.ts";
import { CompressionError, HpackDecoder } from "./hpack_decoder.ts";
import { encodeHpack } from "./hpack_encoder.ts";
import { readMessageHead } from "./message_rules.ts";
import { Output, type Sink } from "./output.ts";
import { PeerSettings } from "./peer_settings.ts";
import { Http2Stream, type StreamCarrier } from "./stream.ts";

/** How a connection behaves. */
export interface Http2Options {
  readonly role: "client" | "server";
  /** Bytes of one stream, and of all together, that the peer may send ahead of their readers. */
  readonly streamWindow: number;
  readonly connectionWindow: number;
  /** Streams that the peer may have open at a time. */
  readonly maxStreams: number;
  /** Size of a header list, decoded. */
  readonly headBytes: number;
}

/** Who hears of a connection. */
export interface Http2Handler {
  /** The peer opened a stream; servers only. `fields` is undefined when there are too many. */
  opened(stream: Http2Stream, fields: [string, string][] | undefined, ended: boolean): void;
  /** The peer takes no new streams. */
  goingAway(): void;
  /** The connection is over; `error` says how the peer broke the protocol, if it did. */
  closed(error: Error | undefined): void;
}

/** Header blocks that a peer may send of which nothing came, and other noise, at once and a second. */
const NOISE_ALLOWANCE = 10_000;
const NOISE_PER_SECOND = 1_000;
const RESET_NOISE = 10;

/**
 * An HTTP/2 connection (RFC 9113), of either side. It is firma's own because `node:http2` of
 * Deno 2.9 corrupts memory when a peer says good-bye with GOAWAY, which any agent may do.
 */
export class Http2Connection implements StreamCarrier {
  readonly #options: Http2Options;
  readonly #handler: Http2Handler;
  readonly #output: Output;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #peer = new PeerSettings();
  #sendWindow = h2.DEFAULT_WINDOW;
  #receiveWindow: number;
  #credit = 0;
  #nextStream = 1;
  #lastPeerStream = 0;
  #saidHello = false;
  #over = false;
  #noise = 0;
  #noiseSince = performance.now();

  constructor(sink: Sink, options: Http2Options, handler: Http2Handler) {
    this.#options = options;
    this.#handler = handler;
    this.#output = new Output(sink, () => this.lost());
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
    this.#output.push(h2.numbersFrame(h2.WINDOW_UPDATE, 0, more));
  }

  /** Streams that are open. */
  get active(): number {
    return this.#streams.size;
  }

  /** Whether the peer lets this side open another stream. */
  get hasRoom(): boolean {
    return this.#streams.size < this.#peer.maxStreams && this.#nextStream < 0x7fff_ff00;
  }

  /** Opens a stream; clients only. */
  open(): Http2Stream {
    const id = this.#nextStream;
    this.#nextStream += 2;
    return this.#create(id);
  }

  /** Takes what came from the peer. `bytes` belong to the connection from now on. */
  receive(bytes: Buffer): void {
    try {
      for (const frame of this.#reader.read(bytes)) {
        if (this.#over) return;
        this.#receiveFrame(frame.type, frame.flags, frame.streamId, frame.payload);
      }
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

  /** Says good-bye and closes; streams that are open are lost. */
  close(): void {
    if (this.#over) return;
    this.#sayGoodbye(h2.NO_ERROR);
    this.#end(undefined);
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

  resetStream(stream: Http2Stream, code: number): void {
    if (!this.#streams.has(stream.id)) return;
    this.#output.push(h2.numbersFrame(h2.RST_STREAM, stream.id, code));
    this.#forget(stream, code);
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
        this.#countNoise(RESET_NOISE);
        const stream = this.#known(id);
        if (stream !== undefined) this.#forget(stream, payload.readUInt32BE(0));
        return;
      }
      case h2.SETTINGS:
        this.#countNoise(1);
        if ((flags & h2.ACK) === 0) this.#receiveSettings(payload);
        return;
      case h2.PING:
        this.#countNoise(1);
        if ((flags & h2.ACK) === 0) this.#output.push(h2.frame(h2.PING, h2.ACK, 0, payload));
        return;
      case h2.GOAWAY:
        return this.#receiveGoaway(payload.readUInt32BE(0) & 0x7fff_ffff);
      case h2.WINDOW_UPDATE:
        return this.#receiveWindowUpdate(id, payload.readUInt32BE(0) & 0x7fff_ffff);
    }
  }

  #receiveData(flags: number, id: number, payload: Buffer): void {
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) {
      throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, "peer sent more than it may");
    }
    const stream = this.#known(id);
    if (stream === undefined || !stream.receiving) {
      this.#returnCredit(payload.length);
      if (stream !== undefined) this.resetStream(stream, h2.STREAM_CLOSED);
      return;
    }
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) {
      this.#returnCredit(payload.length);
      return this.resetStream(stream, h2.FLOW_CONTROL_ERROR);
    }
    const bytes = h2.unpadded(h2.DATA, flags, payload);
    const ended = (flags & h2.END_STREAM) !== 0;
    if (bytes.length === 0 && !ended) this.#countNoise(1);
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
        return this.#countNoise(1);
      }
      if (id % 2 === 0) throw new h2.ConnectionError(h2.PROTOCOL_ERROR, "stream number is even");
      this.#lastPeerStream = id;
      if (this.#streams.size >= this.#options.maxStreams) {
        this.#countNoise(RESET_NOISE);
        this.#output.push(h2.numbersFrame(h2.RST_STREAM, id, h2.REFUSED_STREAM));
        return;
      }
      stream = this.#create(id);
      stream.receiving = !ended;
      stream.receivedAll = ended;
      return this.#handler.opened(stream, tooLarge ? undefined : fields, ended);
    }
    if (tooLarge || stream.receivedAll) return this.resetStream(stream, h2.PROTOCOL_ERROR);
    if (!stream.receiving) {
      stream.receivedAll = ended;
      stream.handler?.head(fields, ended);
      if (ended) this.#receivedAll(stream);
      return;
    }
    // A second block is trailers, and they end the stream (RFC 9113, 8.1).
    const trailers = readMessageHead(fields, []);
    if (!ended || typeof trailers === "string") return this.resetStream(stream, h2.PROTOCOL_ERROR);
    stream.trailers = trailers.fields;
    this.#receivedAll(stream);
  }

  #receiveSettings(payload: Buffer): void {
    const widened = this.#peer.apply(payload);
    for (const stream of this.#streams.values()) {
      stream.sendWindow += widened;
      if (stream.sendWindow > h2.MAX_WINDOW) {
        throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, "window is too large");
      }
    }
    this.#output.push(h2.frame(h2.SETTINGS, h2.ACK, 0, Buffer.alloc(0)));
    this.#output.wake();
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
      if (stream !== undefined) this.resetStream(stream, h2.PROTOCOL_ERROR);
      return;
    }
    if (id === 0) {
      this.#sendWindow += increment;
      if (this.#sendWindow > h2.MAX_WINDOW) {
        throw new h2.ConnectionError(h2.FLOW_CONTROL_ERROR, "window is too large");
      }
    } else if (stream !== undefined) {
      stream.sendWindow += increment;
      if (stream.sendWindow > h2.MAX_WINDOW) this.resetStream(stream, h2.FLOW_CONTROL_ERROR);
    }
    this.#output.wake();
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
    if (stream.sentAll) this.#forget(stream, undefined);
  }

  #forget(stream: Http2Stream, code: number | undefined): void {
    this.#streams.delete(stream.id);
    // What was received whole stays: a server that answers early resets the rest of the request.
    if (code !== undefined && !stream.receivedAll) this.#returnCredit(stream.discard());
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

  /** Frames that cost this side something and the peer nothing are rationed. */
  #countNoise(amount: number): void {
    this.#noise += amount;
    if (this.#noise < NOISE_ALLOWANCE) return;
    const seconds = (performance.now() - this.#noiseSince) / 1_000;
    this.#noise = Math.max(0, this.#noise - seconds * NOISE_PER_SECOND);
    this.#noiseSince = performance.now();
    if (this.#noise >= NOISE_ALLOWANCE) {
      throw new h2.ConnectionError(h2.ENHANCE_YOUR_CALM, "too many frames of no use");
    }
  }

  #fail(error: Error, code: number): void {
    if (this.#over) return;
    this.#sayGoodbye(code);
    this.#end(error);
  }

  #sayGoodbye(code: number): void {
    try {
      this.#output.push(h2.numbersFrame(h2.GOAWAY, 0, this.#lastPeerStream, code));
    } catch { /* the peer does not read anyway */ }
  }

  #end(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    for (const stream of [...this.#streams.values()]) this.#forget(stream, h2.CANCEL);
    this.#output.end();
    this.#handler.closed(error);
  }
}
