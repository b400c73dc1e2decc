import type { Buffer } from "node:buffer";

/** Bytes that arrive, as HTTP/1 readers want them. */
export interface ByteSource {
  /** What has arrived and was not consumed. Valid until the next {@linkcode fill}. */
  readonly buffered: Buffer;
  consume(count: number): void;
  /** Waits until `buffered` has grown; `false` at the end. Rejects when the connection broke. */
  fill(): Promise<boolean>;
}

/** A body on its way from one side to the other. */
export interface Body {
  /** Size in bytes where it is known beforehand. */
  readonly length: number | undefined;
  /**
   * The next piece that is at hand, valid until the next `take` or `wait`;
   * `undefined` when {@linkcode wait} must come first, `null` at the end.
   */
  take(): Uint8Array | undefined | null;
  /** Waits until `take` has news. Rejects when the body cannot be had whole. */
  wait(): Promise<void>;
  /** Trailer fields; complete once `take` returned `null`. */
  readonly trailers: readonly (readonly [string, string])[];
}

/** The peer broke the rules of HTTP in the middle of a message. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

/** The peer closed the connection in the middle of a message. */
export class ConnectionEnded extends Error {
  override readonly name = "ConnectionEnded";
}
