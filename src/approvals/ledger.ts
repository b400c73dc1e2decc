import { ok, type Result } from "../core/result.ts";
import { advance, type Approval, type ApprovalChange } from "./approval.ts";
import { type ApprovalSubject, bindingOf } from "./subject.ts";

/** How much may be waiting for people at once. */
export interface ApprovalLimits {
  /** Of one session: an agent must not bury what matters under what does not. */
  readonly pendingOfSession: number;
  readonly pending: number;
}

/** What is known of a subject when it comes. */
export type Standing =
  | { readonly kind: "unknown" }
  | { readonly kind: "full"; readonly of: "session" | "sidecar" }
  | { readonly kind: "pending" | "approved" | "denied"; readonly approval: Approval };

/** How many approvals that have ended are remembered, to say why they are worth nothing. */
const MOST_ENDED = 2_000;

/** All approvals as a fold over what happened to them. Knows no clock, no file and no socket. */
export class Ledger {
  readonly #limits: ApprovalLimits;
  readonly #approvals = new Map<string, Approval>();
  /** The approvals that have not ended, by what they are bound to. */
  readonly #current = new Map<string, string>();
  readonly #pending = new Map<string, number>();
  readonly #ended = new Set<string>();
  #pendingCount = 0;

  constructor(limits: ApprovalLimits) {
    this.#limits = limits;
  }

  /** Takes in an approval as it was left. */
  restore(approval: Approval): void {
    this.#put(undefined, approval);
  }

  /** What a change would make of its approval, or why it cannot come now. Changes nothing. */
  preview(change: ApprovalChange): Result<Approval> {
    return advance(this.#approvals.get(change.id), change);
  }

  /** Takes in a change. */
  apply(change: ApprovalChange): Result<Approval> {
    const before = this.#approvals.get(change.id);
    const after = advance(before, change);
    if (!after.ok) return after;
    this.#put(before, after.value);
    return ok(after.value);
  }

  /** What is known of `subject`. What time has ended and nobody has noticed yet is unknown. */
  standing(subject: ApprovalSubject, nowMs: number): Standing {
    const id = this.#current.get(bindingOf(subject));
    const approval = id === undefined ? undefined : this.#approvals.get(id);
    if (approval !== undefined && nowMs < approval.untilMs) {
      const { state } = approval;
      if (state === "pending" || state === "approved" || state === "denied") {
        return { kind: state, approval };
      }
    }
    const ofSession = this.#pending.get(subject.sessionId) ?? 0;
    if (ofSession >= this.#limits.pendingOfSession) return { kind: "full", of: "session" };
    if (this.#pendingCount >= this.#limits.pending) return { kind: "full", of: "sidecar" };
    return { kind: "unknown" };
  }

  /** An approval by its name. */
  get(id: string): Approval | undefined {
    return this.#approvals.get(id);
  }

  /** Every approval that has not ended, the oldest first. */
  open(): Approval[] {
    return [...this.#current.values()].map((id) => this.#approvals.get(id)!)
      .sort((a, b) => a.requestedMs - b.requestedMs || (a.id < b.id ? -1 : 1));
  }

  /** How many have not ended. */
  get openCount(): number {
    return this.#current.size;
  }

  #put(before: Approval | undefined, after: Approval): void {
    const { id, subject, state } = after;
    this.#approvals.set(id, after);
    const change = Number(state === "pending") - Number(before?.state === "pending");
    this.#pendingCount += change;
    const ofSession = (this.#pending.get(subject.sessionId) ?? 0) + change;
    if (ofSession > 0) this.#pending.set(subject.sessionId, ofSession);
    else this.#pending.delete(subject.sessionId);
    const binding = bindingOf(subject);
    if (state === "pending" || state === "approved" || state === "denied") {
      this.#current.set(binding, id);
      return;
    }
    if (this.#current.get(binding) === id) this.#current.delete(binding);
    this.#ended.add(id);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MOST_ENDED) break;
      this.#ended.delete(oldest);
      this.#approvals.delete(oldest);
    }
  }
}
