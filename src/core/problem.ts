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
