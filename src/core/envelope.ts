import type { ActionClass } from "./action_class.ts";
import type { TransferFigures } from "./transfers.ts";

/** A value that policies can read; amounts are integers within ±2^53. */
export type ContextValue = string | number | boolean | readonly string[];

/** One outbound call in canonical form. What is matched here is exactly what is sent upstream. */
export interface HttpCall {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Lower case, no trailing dot, A-labels; no port. */
  readonly host: string;
  readonly port: number;
  /** Canonical path, percent-encoded, starting with `/`. */
  readonly path: string;
  /** The query with its `?`, or `""`. Sent as it came. */
  readonly query: string;
}

/** Which program made the call, as `__init` saw it; empty where it could not tell. */
export interface Provenance {
  readonly pid?: number;
  readonly executable?: string;
  /** Where it came from, `<address>:<port>`, when it came over TCP: from outside of any sandbox. */
  readonly address?: string;
  /**
   * `proxy`: through the proxy variables; `transparent`: captured; `api`: by a program that asked
   * and makes the call itself; `exec`: by the execution gate, before a program runs; `watch`: by the
   * delete watch, which has seen files go.
   */
  readonly via: "proxy" | "transparent" | "api" | "exec" | "watch";
}

/** One of the things that a call does. */
export interface CallOperation {
  readonly action_class: ActionClass;
  readonly attributes: Readonly<Record<string, ContextValue>>;
  /** Attributes that it has and that cannot be read, such as the repository behind a number. */
  readonly hidden?: readonly string[];
}

/** Whose credential a call would carry. */
export interface CallCredential {
  /** A configured credential is for the host, whether the call gets it or not. */
  readonly brokered: boolean;
  /**
   * `agent`: one that the agent itself brings, which may be anybody's; `broker`: a configured one;
   * `none`: none that is known as one.
   */
  readonly carries: "agent" | "broker" | "none";
}

/**
 * The input of a decision, whole: together with the policy bundle it determines
 * the answer, and it is what the audit event carries.
 */
export interface ExecutionEnvelope {
  readonly intent: {
    readonly action_class: ActionClass;
    readonly resource: {
      /**
       * `<host><path>`, with `:<port>` after the host unless it is the default of the scheme;
       * `exec://<file>` for a program on this machine and `file://<path>` for a file that a
       * sandbox would show, which have no host.
       */
      readonly id: string;
      readonly host: string;
      readonly path: string;
      readonly method: string;
    };
    readonly raw_transport: "http" | "https" | "connect" | "exec" | "mount" | "watch";
    /** What mapping rule classified the call: `<file>:<line>`. */
    readonly raw_action_ref: string;
    /** What decoders found in the call, for example `git_ref`. */
    readonly attributes: Readonly<Record<string, ContextValue>>;
    /**
     * Attributes that the call has and that cannot be read; a policy that looks at one
     * denies. `resource.path` and `resource.id` are in it where numbers stand for names.
     */
    readonly hidden?: readonly string[];
    /**
     * Everything that the call does, where that is more than one thing: a push of
     * several refs, a batch. Policies must permit each; `action_class` and
     * `attributes` above are the strictest of them.
     */
    readonly operations?: readonly CallOperation[];
  };
  readonly capability: { readonly token_id: string; readonly agent_id: string };
  /** Absent where no call is made over the network: there is none then. */
  readonly credential?: CallCredential;
  readonly metadata: {
    readonly session_id: string;
    /** Milliseconds since the epoch. */
    readonly timestamp_ms: number;
    readonly session_started_ms: number;
    readonly action_count: number;
    readonly deny_count: number;
    readonly prior_action_classes: readonly string[];
    readonly last_resource: string;
    /** Of a session that lost some: see `session_state.ts`. */
    readonly deleted_files?: number;
    /** Of a session that moves money; see `transfers.ts`. */
    readonly transfers?: TransferFigures;
  };
  readonly provenance: Provenance;
}

/** The envelopes of all that a call does, one for each thing: what policies are asked about. */
export function operationEnvelopes(envelope: ExecutionEnvelope): readonly ExecutionEnvelope[] {
  const { operations, hidden: _, ...intent } = envelope.intent;
  if (operations === undefined) return [envelope];
  return operations.map((operation) => ({
    ...envelope,
    intent: { ...intent, operations, ...operation },
  }));
}
