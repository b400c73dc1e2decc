import type { ApprovalEvent } from "../core/event.ts";
import { newId } from "../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { ApprovalAnswer, ApprovalDesk, ApprovalQuestion } from "./answer.ts";
import { type Approval, type ApprovalChange, type Approver, NO_END_MS } from "./approval.ts";
import { approvalEvent } from "./event.ts";
import type { Journal } from "./journal.ts";
import { type ApprovalLimits, Ledger } from "./ledger.ts";
import type { ApprovalSubject } from "./subject.ts";
import { approvalText, LONGEST_TEXT } from "./text.ts";

/** What keeping approvals needs. */
export interface ApprovalsOptions {
  readonly limits: ApprovalLimits;
  /** How long people may take to answer, in milliseconds. */
  readonly pendingTtlMs: number;
  /** How long an answer holds where they say nothing else, in milliseconds. */
  readonly tokenTtlMs: number;
  /** Opens the journal, the first time that it is needed. */
  readonly openJournal: () => Result<{
    readonly journal: Pick<Journal, "append" | "compact" | "close">;
    readonly kept: readonly Approval[];
  }>;
  /** Appends to the audit log; `false` when it does not take the event. */
  readonly record: (event: ApprovalEvent) => boolean;
  /** Hears of what waits for a person from now on. */
  readonly announce: (approval: Approval) => void;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
}

/** What a person says to something that waits. */
export type Ruling =
  | { readonly kind: "approve"; readonly forMs?: number; readonly session?: boolean }
  | { readonly kind: "deny" | "revoke" };

interface Waiter {
  readonly id: string;
  readonly settle: (answer: ApprovalAnswer) => void;
}

/** An end that cannot be recorded now is tried again after this long, and not all the time. */
const LOOK_AGAIN_MS = 250;

/** Timers count in 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The approvals of a Sidecar: what its agents may do only once a person said so. Each change is
 * recorded and written down before it counts; what cannot be, does not happen.
 */
export class Approvals implements ApprovalDesk {
  readonly #options: ApprovalsOptions;
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #journal: Pick<Journal, "append" | "compact" | "close"> | undefined;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #alarmAtMs = NO_END_MS;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.limits);
    this.#now = options.now ?? Date.now;
  }

  ask(question: ApprovalQuestion, left?: AbortSignal): Promise<ApprovalAnswer> {
    const answer = this.#answer(question);
    if (answer.kind !== "pending" || question.waitMs <= 0 || left?.aborted) {
      return Promise.resolve(answer);
    }
    return this.#wait(answer, question.waitMs, left);
  }

  /** Every approval that has not ended, the oldest first. */
  list(): Approval[] {
    if (!this.#open().ok) return [];
    this.#expireDue();
    return this.#ledger.open();
  }

  /** Does what a person says. */
  rule(id: string, ruling: Ruling, by: Approver, reason: string): Result<Approval> {
    const opened = this.#open();
    if (!opened.ok) return opened;
    this.#expireDue();
    const atMs = this.#now();
    const said = { id, atMs, by, reason };
    switch (ruling.kind) {
      case "revoke":
        return this.#change({ change: "revoked", ...said });
      case "deny":
        return this.#change({
          change: "denied",
          ...said,
          untilMs: atMs + this.#options.tokenTtlMs,
        });
      case "approve": {
        const { session = false, forMs } = ruling;
        const period = forMs === undefined ? "once" : "period";
        const grant = session ? "session" : period;
        const untilMs = session ? NO_END_MS : atMs + (forMs ?? this.#options.tokenTtlMs);
        return this.#change({ change: "approved", ...said, grant, untilMs });
      }
    }
  }

  /** Ends what a session that has ended was waiting for or allowed. */
  endSession(sessionId: string): void {
    if (this.#journal === undefined) return;
    for (const { id, subject } of this.#ledger.open()) {
      if (subject.sessionId !== sessionId) continue;
      // Whoever waits is not to ask again.
      const over = refused("the session has ended");
      for (const { settle } of [...this.#waiters.get(id) ?? []]) settle(over);
      this.#expire(id, "the session has ended");
    }
  }

  /** Answers whoever waits, and lets go of the file. What waits for people stays in it. */
  close(): void {
    clearTimeout(this.#alarm);
    for (const waiters of this.#waiters.values()) {
      for (const { settle } of waiters) settle(refused("the Sidecar is about to end"));
    }
    this.#journal?.close(this.#ledger.openCount === 0);
    this.#journal = undefined;
  }

  #answer({ subject, use }: ApprovalQuestion): ApprovalAnswer {
    const opened = this.#open();
    if (!opened.ok) return refused(opened.error.message);
    this.#expireDue();
    const standing = this.#ledger.standing(subject, this.#now());
    switch (standing.kind) {
      case "pending": {
        const { id, untilMs } = standing.approval;
        return { kind: "pending", id, untilMs };
      }
      case "denied": {
        const { id, reason = "" } = standing.approval;
        return { kind: "denied", id, reason };
      }
      case "approved": {
        const { id } = standing.approval;
        if (!use) return { kind: "passed", id };
        const used = this.#change({ change: "used", id, atMs: this.#now() });
        return used.ok ? { kind: "passed", id } : refused(used.error.message);
      }
      case "full":
        return refused(
          standing.of === "session"
            ? "too much of this session waits for approval already"
            : "too much waits for approval already",
        );
      case "unknown":
        return this.#request(subject);
    }
  }

  #request(subject: ApprovalSubject): ApprovalAnswer {
    if (approvalText(subject).length > LONGEST_TEXT) {
      const detail = "it is too long to be shown to a person whole, so nobody can approve it";
      return { kind: "refused", reason: "MalformedRequest", detail };
    }
    const atMs = this.#now();
    const id = newId("apr", atMs);
    const untilMs = atMs + this.#options.pendingTtlMs;
    const requested = this.#change({ change: "requested", id, atMs, subject, untilMs });
    if (!requested.ok) return refused(requested.error.message);
    this.#options.announce(requested.value);
    return { kind: "pending", id, untilMs };
  }

  /** Records a change, writes it down, and then has it count. */
  #change(change: ApprovalChange): Result<Approval> {
    const after = this.#ledger.preview(change);
    if (!after.ok) return after;
    if (!this.#options.record(approvalEvent(change, after.value))) return err(unrecordable());
    const isRequest = change.change === "requested" || change.change === "expired";
    const written = this.#journal!.append(after.value, !isRequest);
    if (!written.ok) return written;
    const applied = this.#ledger.apply(change);
    if (applied.ok) this.#settled(applied.value);
    return applied;
  }

  #settled(approval: Approval): void {
    this.#alarmAt(approval.untilMs);
    if (approval.state === "pending") return;
    const waiters = this.#waiters.get(approval.id) ?? [];
    for (const { settle } of [...waiters]) settle({ kind: "decided", id: approval.id });
    this.#journal?.compact(this.#ledger.openCount, () => this.#ledger.open());
  }

  #wait(
    pending: Extract<ApprovalAnswer, { readonly kind: "pending" }>,
    waitMs: number,
    left: AbortSignal | undefined,
  ): Promise<ApprovalAnswer> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(pending.id) ?? new Set();
      this.#waiters.set(pending.id, waiters);
      const settle = (answer: ApprovalAnswer) => {
        clearTimeout(timer);
        left?.removeEventListener("abort", leave);
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(pending.id);
        resolve(answer);
      };
      const leave = () => settle(pending);
      const waiter: Waiter = { id: pending.id, settle };
      waiters.add(waiter);
      left?.addEventListener("abort", leave, { once: true });
      const timer = setTimeout(leave, Math.min(waitMs, LONGEST_TIMER_MS));
    });
  }

  #open(): Result<void> {
    if (this.#journal !== undefined) return ok(undefined);
    const opened = this.#options.openJournal();
    if (!opened.ok) return opened;
    this.#journal = opened.value.journal;
    const soonMs = this.#now() + this.#options.tokenTtlMs;
    for (const approval of opened.value.kept) {
      // The session that one of these is for ended with its Sidecar, unless it comes again soon.
      const isEndless = approval.untilMs === NO_END_MS;
      this.#ledger.restore(isEndless ? { ...approval, untilMs: soonMs } : approval);
    }
    for (const { untilMs } of this.#ledger.open()) this.#alarmAt(untilMs);
    return ok(undefined);
  }

  /** Wakes up when the next approval ends by itself. */
  #alarmAt(atMs: number): void {
    if (atMs >= this.#alarmAtMs) return;
    clearTimeout(this.#alarm);
    this.#alarmAtMs = atMs;
    const delay = Math.max(LOOK_AGAIN_MS, Math.min(atMs - this.#now(), LONGEST_TIMER_MS));
    this.#alarm = setTimeout(() => {
      this.#alarmAtMs = NO_END_MS;
      this.#expireDue();
      for (const { untilMs } of this.#ledger.open()) this.#alarmAt(untilMs);
    }, delay);
    // A process that has nothing else to do ends.
    Deno.unrefTimer(this.#alarm);
  }

  #expireDue(): void {
    const nowMs = this.#now();
    if (nowMs < this.#alarmAtMs) return;
    for (const { id, untilMs } of this.#ledger.open()) {
      if (untilMs <= nowMs) this.#expire(id, "its time is over");
    }
  }

  #expire(id: string, detail: string): void {
    // What is not recorded now is tried again; it counts for nothing all the same.
    this.#change({ change: "expired", id, atMs: this.#now(), detail });
  }
}

function refused(detail: string): ApprovalAnswer {
  return { kind: "refused", reason: "FailClosed", detail: `it cannot be asked for: ${detail}` };
}

function unrecordable(): FirmaError {
  return {
    code: "AUDIT_UNAVAILABLE",
    message: "Cannot change the approval: the audit log does not take its record",
    cure: "make the audit log writable and free disk space",
  };
}
