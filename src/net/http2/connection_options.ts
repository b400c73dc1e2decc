import type { Http2Stream } from "./stream.ts";

/** How a connection behaves. */
export interface Http2Options {
  readonly role: "client" | "server";
  /**
   * Bytes of one stream, and of all together, that the peer may send ahead of their readers;
   * at least 65,535, which a peer takes for granted.
   */
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
  /** There may be room for another stream; clients only. */
  room(): void;
  /** The connection is over; `error` says how the peer broke the protocol, if it did. */
  closed(error: Error | undefined): void;
}
