import type { ReplayBody } from "./replay_body.ts";
import type { Body } from "../byte_source.ts";
import type { SocketReader } from "../socket_reader.ts";

/** Header fields: names in lower case, in order, repetitions kept. */
export type FieldList = readonly (readonly [string, string])[];

/** A response on its way to a client. Its fields hold no hop-by-hop ones. */
export interface OutgoingResponse {
  readonly status: number;
  readonly reason?: string;
  readonly fields: FieldList;
  /** The names as they were spelt, by index of `fields`; HTTP/1 only. */
  readonly spellings?: readonly string[];
  /** All of it, or as it comes; absent for responses without a body. */
  readonly body?: Uint8Array | Body;
}

/** One request of a client and the way to answer it, in whatever version of HTTP it came. */
export interface Exchange {
  readonly version: "1.0" | "1.1" | "2.0";
  readonly scheme: "http" | "https";
  readonly method: string;
  readonly authority: string | undefined;
  readonly target: string;
  readonly fields: FieldList;
  readonly spellings: readonly string[] | undefined;
  readonly body: ReplayBody | undefined;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly awaitsContinue: boolean;
  /** The client wants to speak WebSocket on this connection. */
  readonly wantsWebSocket: boolean;
  /** Whether the client has closed its side. */
  readonly gone: boolean;
  /** Called when the client closes its side before the exchange is over. */
  onGone: (() => void) | undefined;
  /** Sends a 1xx response. */
  inform(status: number, fields: FieldList): void;
  /**
   * Sends the response and all of its body; `progress` hears of each piece. Rejects when the
   * body fails or the client goes away; the client can then tell that the response is not whole.
   */
  respond(response: OutgoingResponse, progress?: (bytes: number) => void): Promise<void>;
  /** Answers 101 and hands over the connection; HTTP/1 only, after {@linkcode wantsWebSocket}. */
  upgrade?(response: OutgoingResponse): Promise<SocketReader>;
  /** Breaks the exchange off. */
  abort(): void;
}
