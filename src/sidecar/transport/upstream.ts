import type { AbortReason } from "../../core/decision.ts";
import type { Body } from "../../net/byte_source.ts";
import type { ConnReader } from "./conn_reader.ts";
import type { FieldList } from "../../net/http/exchange.ts";

/** A request on its way to an upstream. Its fields hold no hop-by-hop ones, and no `Host`. */
export interface OutgoingRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** `Host` or `:authority`. */
  readonly authority: string;
  readonly target: string;
  readonly fields: FieldList;
  readonly spellings: readonly string[] | undefined;
  /** The agent takes trailers (`TE: trailers`). */
  readonly takesTrailers: boolean;
  /** Ask for a WebSocket; HTTP/1.1 only. */
  readonly webSocket: boolean;
  readonly body: Body | undefined;
}

/** A connection that 101 left behind. */
export interface UpgradedConnection {
  readonly conn: Deno.Conn;
  readonly reader: ConnReader;
  /** What the upstream says goes through this, where it is there; throws when it must not go on. */
  readonly toAgent?: { push(bytes: Uint8Array): Uint8Array };
  /** The same for what the agent says. */
  readonly toUpstream?: { push(bytes: Uint8Array): Uint8Array };
}

/** What an upstream answered. */
export interface UpstreamResponse {
  readonly status: number;
  readonly reason: string | undefined;
  readonly fields: FieldList;
  readonly spellings: readonly string[] | undefined;
  readonly body: Body | undefined;
  /** The connection that 101 leaves behind. */
  readonly upgraded?: UpgradedConnection;
  /** Called once the call is over, whether or not the body was read to its end. */
  readonly close?: () => void;
}

/** Who hears how a call to an upstream goes on. */
export interface CallObserver {
  /** A 1xx response other than 101. */
  informed(status: number, fields: FieldList): void;
  /** Part of the request body was sent. */
  sent(bytes: number): void;
  /** The request was sent whole. */
  sentAll(): void;
}

/** More interim responses (1xx) to one request are no answer. */
export const MOST_INTERIM_HEADS = 64;

/** A request in progress. */
export interface UpstreamCall {
  /** The head of the final response; rejects with {@linkcode UpstreamFailure} or what made the request body fail. */
  readonly response: Promise<UpstreamResponse>;
  /** The response was read to its end: the connection may serve again. */
  finish(): void;
  /** Breaks the call off. */
  abort(): void;
}

/** Takes calls to one upstream. */
export interface Upstream {
  /** The connection has served before, so that the upstream may have given it up meanwhile. */
  readonly used: boolean;
  call(request: OutgoingRequest, observer: CallObserver): UpstreamCall;
  /** Gives it back without having used it. */
  release(): void;
}

/** The upstream could not be reached or did not answer as HTTP wants. */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  readonly reason: AbortReason;
  /** No byte of an answer came: as far as this connection knows, the request had no effect. */
  readonly unanswered: boolean;

  constructor(
    message: string,
    options: {
      readonly reason?: AbortReason;
      readonly unanswered?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.reason = options.reason ?? "CONNECTOR_FAILURE";
    this.unanswered = options.unanswered ?? false;
  }
}

/** An upstream failure for something that was thrown below. */
export function asUpstreamFailure(error: unknown, unanswered = false): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new UpstreamFailure(why, { unanswered, cause: error });
}
