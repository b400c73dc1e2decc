import type { HttpLimits, HttpTimeouts } from "../../net/http/http_options.ts";
import type { CallCredentials } from "../credentials/call_credentials.ts";
import type { Executions, Gate, SecretPrograms } from "../gate.ts";

/** How long to wait, in milliseconds. There is no time-out for a whole call. */
export interface Timeouts extends HttpTimeouts {
  /** From dialling an upstream to the end of its TLS handshake. @default {10_000} */
  readonly connectMs: number;
  /** From the end of a request to the head of its response. @default {120_000} */
  readonly headersMs: number;
  /** Without a byte in either direction, on a call or a tunnel. @default {300_000} */
  readonly idleMs: number;
  /** For each thing an agent must send before it is served: PROXY header, CONNECT, ClientHello, request head. @default {15_000} */
  readonly headMs: number;
}

/** How much to hold for an agent or an upstream. Sizes in bytes. */
export interface Limits extends HttpLimits {
  /** Request line and headers, and the same of a response. @default {65_536} */
  readonly headBytes: number;
  /** Head of a CONNECT request. @default {8_192} */
  readonly connectHeadBytes: number;
  /** TLS ClientHello, all records. @default {65_536} */
  readonly clientHelloBytes: number;
  /** Unconsumed body bytes of one connection before its reading stops. @default {262_144} */
  readonly bufferedBytes: number;
  /** Open connections of one session. @default {1_024} */
  readonly connectionsPerSession: number;
}

/** Options of {@linkcode startTransport}. */
export interface TransportOptions {
  readonly gate: Gate;
  /** What calls go out with. @default {NO_CREDENTIALS} */
  readonly credentials?: CallCredentials;
  /** @default nobody decides executions, so that none are allowed */
  readonly executions?: Executions;
  /** @default nobody runs commands of secret stores */
  readonly secretPrograms?: SecretPrograms | undefined;
  /** Issues the leaf certificate for a host name or address in canonical form. Results are cached. */
  readonly leaf: (host: string) => Promise<{ readonly certPem: string; readonly keyPem: string }>;
  readonly timeouts?: Partial<Timeouts>;
  readonly limits?: Partial<Limits>;
}

/** Time-outs that hold where the options say nothing. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  headersMs: 120_000,
  idleMs: 300_000,
  headMs: 15_000,
};

/** Limits that hold where the options say nothing. */
export const DEFAULT_LIMITS: Limits = {
  headBytes: 65_536,
  connectHeadBytes: 8_192,
  clientHelloBytes: 65_536,
  bufferedBytes: 262_144,
  connectionsPerSession: 1_024,
  streamsPerConnection: 128,
};
