/**
 * The seam between the two halves of the data plane. The transport
 * (`src/sidecar/transport`) moves bytes and knows no policy; the pipeline
 * (`src/sidecar/pipeline`) decides and knows no socket.
 */
import type { CredentialNeed } from "../broker/hand_out.ts";
import type { CredentialRecord } from "../core/event.ts";
import type { SocketReader } from "../net/socket_reader.ts";
import type { HttpCall, Provenance } from "../core/envelope.ts";
import type { AbortReason, Decision, DenyReason } from "../core/decision.ts";
import type { BodyPrefix } from "../net/http/replay_body.ts";
import type { AbortProblem, DenialForm, DenyProblem } from "../core/problem.ts";
import type { GateConnection } from "./exec/gate_connection.ts";

/** Whose connection it is: from the socket and the PROXY header, never from what the agent sends. */
export interface Peer {
  readonly sessionId: string;
  readonly provenance: Provenance;
}

/** What the connection itself claimed before the request came; all of it must agree with the request. */
export interface TunnelClaim {
  /** Target of the CONNECT, or of the transparent capture, as sent. */
  readonly connectHost: string;
  readonly connectPort: number;
  /** Server name of the TLS ClientHello; absent when the tunnel carries plain HTTP. */
  readonly sni?: string;
}

/** Decides what programs are executed in sandboxes. */
export interface Executions {
  /**
   * Answers the execution gate of a session on its connection, to its end. `directory` is that of
   * the session's socket.
   */
  serve(sessionId: string, reader: GateConnection, directory: string): Promise<void>;
}

/** Runs commands of secret stores for sandboxes. */
export interface SecretPrograms {
  /** Answers a stub of a store's program on its connection, to its end. Never rejects. */
  serve(sessionId: string, store: string, reader: SocketReader): Promise<void>;
}

/** One request, as it came. */
export interface CallInput {
  readonly peer: Peer;
  readonly scheme: "http" | "https";
  readonly httpVersion: "1.0" | "1.1" | "2.0";
  readonly method: string;
  /** `Host` or `:authority`, as sent; `undefined` when there is none. */
  readonly authority: string | undefined;
  /** The request target in origin form (RFC 9112, 3.2.1), as sent, or `*`. */
  readonly target: string;
  /** Names in lower case, in order, repetitions kept. */
  readonly headers: readonly (readonly [string, string])[];
  readonly tunnel?: TunnelClaim;
  /**
   * The whole body when it is at most `limit` bytes, else `undefined`. The
   * transport sends it upstream afterwards as if it had not been read.
   */
  readBody(limit: number): Promise<Uint8Array | undefined>;
  /**
   * The body as far as it goes within about `limit` bytes, and whether that is all of
   * it; `undefined` when it breaks off. Sent upstream afterwards like `readBody`.
   * Absent where a body can only be had whole.
   */
  readPrefix?(limit: number): Promise<BodyPrefix | undefined>;
  /** Has `listener` hear when whoever wants the answer is gone. Absent where nobody can tell. */
  onGone?(listener: () => void): void;
}

/** Where an allowed call is sent. */
export interface Route {
  /** The name that TLS checks and `Host` carries. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Configured address to connect to instead of resolving `host`; may be private. */
  readonly connectAddr?: { readonly hostname: string; readonly port: number };
  /** Extra roots (PEM) configured for this host. */
  readonly caCerts?: readonly string[];
}

/** What is to be done about the placeholders of an allowed call. */
export interface PlaceholderOrders {
  /** The credentials whose placeholders are to be swapped. */
  readonly labels: readonly string[];
  /** All of the body was looked through; otherwise it is watched on its way. */
  readonly isBodyKnown: boolean;
}

/** The answer to a {@linkcode CallInput}. */
export type Verdict =
  | {
    readonly kind: "forward";
    readonly eventId: string;
    readonly actionClass: string;
    /** Sent upstream exactly so. */
    readonly call: HttpCall;
    readonly route: Route;
    /** Header names (lower case) that must not reach the upstream. */
    readonly dropHeaders: readonly string[];
    /** Headers that replace the agent's of the same name. */
    readonly setHeaders: readonly (readonly [string, string])[];
    readonly sessionId: string;
    /** The credential that the call goes out with; absent where none is for it. */
    readonly need?: CredentialNeed;
    /** What is to be done about placeholders; absent where the call can hold none. */
    readonly placeholders?: PlaceholderOrders;
    /** Aborts when a later decision (policy change, revocation, end of session) closes the call. */
    readonly signal: AbortSignal;
  }
  | {
    readonly kind: "deny";
    readonly eventId: string;
    readonly problem: DenyProblem;
    /** What to answer instead of the problem document itself. */
    readonly form?: DenialForm;
  };

/** An allowed call. */
export type ForwardVerdict = Extract<Verdict, { readonly kind: "forward" }>;

/** The answer to a CONNECT (or a captured TLS connection). */
export type ConnectVerdict =
  /** Terminate TLS and decide each request inside. */
  | { readonly kind: "terminate" }
  /** The host is on the bypass list and the CONNECT itself was allowed. */
  | {
    readonly kind: "tunnel";
    readonly eventId: string;
    readonly route: Route;
    readonly signal: AbortSignal;
  }
  | { readonly kind: "deny"; readonly eventId: string; readonly problem: DenyProblem };

/** How an allowed call ended. */
export interface CallOutcome {
  readonly status: number;
  readonly abortReason: AbortReason | "";
  readonly detail: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly headLatencyUs: number;
  readonly latencyUs: number;
  /** What was added to the call; absent where nothing was. */
  readonly credential?: CredentialRecord;
}

/** What was refused before it was a call. */
export interface Refusal {
  readonly method?: string;
  readonly resource: string;
  /** For the operator. */
  readonly detail: string;
  /** @default {"MalformedRequest"} */
  readonly reason?: DenyReason;
}

/** What is said of a call that somebody else makes, or does not make. */
export interface Advice {
  readonly allowed: boolean;
  readonly decision: Decision;
  readonly actionClass: string;
  readonly eventId: string;
  /** Why not; absent when it is allowed. */
  readonly problem?: DenyProblem;
}

/** Implemented by the pipeline, called by the transport. No member ever throws or rejects. */
export interface Gate {
  connect(peer: Peer, host: string, port: number): ConnectVerdict | Promise<ConnectVerdict>;
  decide(input: CallInput): Verdict | Promise<Verdict>;
  /**
   * Records a connection or request that was refused before it was a call
   * (garbage, oversized head, names that disagree) and returns what to tell the agent.
   */
  refuse(peer: Peer, what: Refusal): DenyProblem;
  /** Ends a forwarded call or tunnel; called exactly once for each. */
  outcome(eventId: string, outcome: CallOutcome): void;
  /** What to tell the agent about an ABORT. */
  abortProblem(eventId: string, actionClass: string, reason: AbortReason): AbortProblem;
}

/** A gate that programs can ask as well. */
export interface AdvisingGate extends Gate {
  /** Decides and records like `decide` what is not sent from here: it has no outcome. Never rejects. */
  advise(input: CallInput): Promise<Advice>;
}
