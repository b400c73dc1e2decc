/** One Http2Connection, and bare frames as its peer: what a test sends and sees knows no rules. */
import { Buffer } from "node:buffer";
import type { FieldList } from "../../../src/net/http/exchange.ts";
import { Http2Connection } from "../../../src/net/http2/connection.ts";
import * as h2 from "../../../src/net/http2/frame.ts";
import { HpackDecoder } from "../../../src/net/http2/hpack_decoder.ts";
import { encodeHpack } from "../../../src/net/http2/hpack_encoder.ts";
import type { Http2Stream } from "../../../src/net/http2/stream.ts";

/** A frame that the connection sent. */
export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Windows that a test can fill. */
export const STREAM_WINDOW = 100_000;
export const CONNECTION_WINDOW = 200_000;

/** A request as a block of headers. */
export const GET: FieldList = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "api.test"],
  [":path", "/"],
];

export class Wire {
  readonly connection: Http2Connection;
  readonly streams: Http2Stream[] = [];
  readonly opened: { fields: FieldList | undefined; ended: boolean }[] = [];
  /** How the connection ended, once it has. */
  closed: { readonly error: Error | undefined } | undefined;
  /** Called with each new stream of a server. */
  serve: (stream: Http2Stream) => void = () => {};
  /** Everything that the connection has written. */
  written = Buffer.alloc(0);
  ended = false;
  /** While set, the peer does not read. */
  blocked: Promise<void> | undefined;
  readonly decoder = new HpackDecoder(4_096, 65_536);
  readonly #role: "client" | "server";

  constructor(role: "client" | "server" = "server", maxStreams = 8) {
    this.#role = role;
    this.connection = new Http2Connection(
      {
        write: (bytes) => {
          this.written = Buffer.concat([this.written, bytes]);
          return this.blocked;
        },
        end: () => void (this.ended = true),
      },
      {
        role,
        streamWindow: STREAM_WINDOW,
        connectionWindow: CONNECTION_WINDOW,
        maxStreams,
        headBytes: 16_384,
      },
      {
        opened: (stream, fields, ended) => {
          this.streams.push(stream);
          this.opened.push({ fields, ended });
          this.serve(stream);
        },
        goingAway: () => {},
        room: () => {},
        closed: (error) => void (this.closed = { error }),
      },
    );
  }

  /** A connection whose peer has said hello. */
  static open(role: "client" | "server" = "server", ...settings: [number, number][]): Wire {
    const wire = new Wire(role);
    if (role === "server") wire.connection.receive(Buffer.from(h2.PREFACE));
    wire.send(h2.settingsFrame(settings));
    return wire;
  }

  /** Hands frames to the connection, all at once. */
  send(...frames: Buffer[]): void {
    this.connection.receive(Buffer.concat(frames));
  }

  /** What was sent since the last time, without the hello of the connection. */
  async frames(): Promise<SentFrame[]> {
    await flushed();
    const frames: SentFrame[] = [];
    let at = this.#role === "client" && this.#taken === 0 ? h2.PREFACE.length : 0;
    const bytes = this.written.subarray(this.#taken);
    while (at < bytes.length) {
      const end = at + h2.FRAME_HEADER + bytes.readUIntBE(at, 3);
      frames.push({
        type: bytes[at + 3]!,
        flags: bytes[at + 4]!,
        streamId: bytes.readUInt32BE(at + 5),
        payload: bytes.subarray(at + h2.FRAME_HEADER, end),
      });
      at = end;
    }
    const first = this.#taken === 0;
    this.#taken = this.written.length;
    return first ? frames.slice(2) : frames;
  }
  #taken = 0;

  /** The code of the GOAWAY that was sent, if one was. */
  async goodbye(): Promise<number | undefined> {
    const frame = (await this.frames()).find(({ type }) => type === h2.GOAWAY);
    return frame?.payload.readUInt32BE(4);
  }

  /** The streams that were reset, with their codes. */
  async resets(): Promise<[number, number][]> {
    return (await this.frames()).filter(({ type }) => type === h2.RST_STREAM)
      .map(({ streamId, payload }) => [streamId, payload.readUInt32BE(0)]);
  }
}

/** What is queued in one turn is written at its end. */
export async function flushed(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export function headers(id: number, fields: FieldList = GET, end = true): Buffer {
  return Buffer.concat(h2.headersFrames(id, encodeHpack(fields, false), end, 16_384));
}

export function data(id: number, size: number, end = false): Buffer {
  const frames: Buffer[] = [];
  for (let left = size; frames.length === 0 || left > 0; left -= 16_384) {
    const last = left <= 16_384;
    const payload = Buffer.alloc(Math.min(left, 16_384), "x");
    frames.push(h2.frame(h2.DATA, end && last ? h2.END_STREAM : 0, id, payload));
  }
  return Buffer.concat(frames);
}

export function reset(id: number, code = h2.CANCEL): Buffer {
  return h2.numbersFrame(h2.RST_STREAM, id, code);
}

export function widen(id: number, by: number): Buffer {
  return h2.numbersFrame(h2.WINDOW_UPDATE, id, by);
}

export function ping(): Buffer {
  return h2.frame(h2.PING, 0, 0, Buffer.alloc(8));
}

/** Takes everything that has come of a body. */
export function takeAll(stream: Http2Stream): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = stream.take(); piece; piece = stream.take()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
