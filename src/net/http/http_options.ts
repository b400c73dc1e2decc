/** How long to wait for a client, in milliseconds. There is no time-out for a whole exchange. */
export interface HttpTimeouts {
  /** Without a byte in either direction. @default {300_000} */
  readonly idleMs: number;
  /** For the head of a request, from its first byte. @default {15_000} */
  readonly headMs: number;
  /**
   * A client of HTTP/2 that was silent for so long is asked whether it is still there, and
   * disconnected when it does not answer within `headMs`. @default {Infinity}
   */
  readonly silenceMs?: number;
}

/** How much to hold for a client. Sizes in bytes. */
export interface HttpLimits {
  /** Request line and headers. @default {65_536} */
  readonly headBytes: number;
  /** Concurrent streams of one HTTP/2 connection. @default {128} */
  readonly streamsPerConnection: number;
  /** Bytes of one stream that may come ahead of their reader. @default {8_388_608} */
  readonly streamWindow?: number;
  /** Bytes of all streams of a connection that may come ahead. @default {16_777_216} */
  readonly connectionWindow?: number;
}
