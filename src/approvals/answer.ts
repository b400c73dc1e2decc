import type { DenyReason } from "../core/decision.ts";
import type { ApprovalSubject } from "./subject.ts";

/** What is asked on behalf of a request that waits. */
export interface ApprovalQuestion {
  readonly subject: ApprovalSubject;
  /** Whether an approval is used up by this: not where the request could not go on all the same. */
  readonly use: boolean;
  /** How long the answer may wait for a person, in milliseconds; `0` for what is known now. */
  readonly waitMs: number;
}

/** What is said of it. */
export type ApprovalAnswer =
  /** Somebody approved it, and with `use` this was counted. */
  | { readonly kind: "passed"; readonly id: string }
  /** It waits for a person, who may answer until then (milliseconds since the epoch). */
  | { readonly kind: "pending"; readonly id: string; readonly untilMs: number }
  /** Somebody decided while the answer waited: ask again. */
  | { readonly kind: "decided"; readonly id: string }
  /** Somebody said no. */
  | { readonly kind: "denied"; readonly id: string; readonly reason: string }
  /** It cannot be asked for. */
  | { readonly kind: "refused"; readonly reason: DenyReason; readonly detail: string };

/** Where requests are held against what people approved: a network call or an execution. */
export interface ApprovalDesk {
  /** Never rejects. `left` aborts when whoever waits for the answer is gone. */
  ask(question: ApprovalQuestion, left?: AbortSignal): Promise<ApprovalAnswer>;
}
