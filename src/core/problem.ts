import type { AbortReason, DenyReason } from "./decision.ts";

/** What an agent is told about a call that was refused (RFC 9457 problem document). */
export interface DenyProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly denied: true;
  readonly reason: DenyReason;
  readonly action_class: string;
  readonly event_id: string;
  /** What waits for a person, `apr_…`. */
  readonly approval_id?: string;
  /** Until when it can be approved, RFC 3339. */
  readonly approval_expires_at?: string;
  /** How the operator approves it. */
  readonly how_to_approve?: string;
  /** When the same call is worth another try. */
  readonly retry_after_ms?: number;
}

/** What an agent is told about an allowed call that could not be completed. */
export interface AbortProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly aborted: true;
  readonly reason: AbortReason;
  readonly action_class: string;
  readonly event_id: string;
}

/** Media type of a problem document. */
export const PROBLEM_TYPE = "application/problem+json";

/**
 * How the protocol inside a call wants to be told about a denial, where that
 * reaches whoever asked better than a problem document does.
 */
export type DenialForm =
  /** A JSON-RPC answer to each request of the message, for tool calls as a result with `isError`. */
  | {
    readonly kind: "mcp";
    readonly requests: readonly {
      readonly id: string | number;
      readonly toolCall: boolean;
    }[];
    /** The message was an array. */
    readonly batch: boolean;
    /** The revision wants `resultType` in results (from 2026-07-28). */
    readonly resultType: boolean;
  }
  /** A report that refuses each ref (gitprotocol-pack, "Report Status"). */
  | { readonly kind: "git-push"; readonly refs: readonly string[]; readonly sideBand: boolean };
