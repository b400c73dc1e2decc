import type { ApprovalSubject } from "../../src/approvals/subject.ts";
import { Approvals, type ApprovalsOptions } from "../../src/approvals/approvals.ts";
import type { Approval, Approver } from "../../src/approvals/approval.ts";
import { Journal } from "../../src/approvals/journal.ts";
import type { ApprovalEvent } from "../../src/core/event.ts";

export const START_MS = Date.parse("2026-03-01T12:00:00Z");
export const ALICE: Approver = { uid: 1000, user: "alice", via: "cli" };

export function subject(changes: Partial<ApprovalSubject> = {}): ApprovalSubject {
  return {
    kind: "call",
    sessionId: "ses_01jd8xk5w7e0v9c3b2n4m6q8rs",
    sandboxId: "sbx_01jd8xk5w7e0v9c3b2n4m6q8rs",
    agentId: "agt_01jd8xk5w7e0v9c3b2n4m6q8rs",
    fingerprint: "00".repeat(32),
    actionClass: "payment.transfer",
    challenges: ["Transfer money?"],
    policyIds: ["own.ask"],
    summary: "POST https://api.bank.test/v1/transfers",
    details: [["body", "5 bytes, SHA-256 aa"]],
    ...changes,
  };
}

/** Approvals over a journal in `directory`, with a clock of their own. */
export class Desk {
  readonly events: ApprovalEvent[] = [];
  readonly announced: Approval[] = [];
  readonly damages: string[] = [];
  readonly approvals: Approvals;
  nowMs = START_MS;
  takesRecords = true;

  constructor(directory: string, changes: Partial<ApprovalsOptions> = {}) {
    this.approvals = new Approvals({
      limits: { pendingOfSession: 100, pending: 10_000 },
      pendingTtlMs: 3_600_000,
      tokenTtlMs: 300_000,
      openJournal: () => Journal.open(directory, ({ code }) => this.damages.push(code)),
      record: (event) => this.takesRecords && this.events.push(event) > 0,
      announce: (approval) => this.announced.push(approval),
      now: () => this.nowMs,
      ...changes,
    });
  }

  async ask(changes: Partial<ApprovalSubject> = {}, use = true) {
    return await this.approvals.ask({ subject: subject(changes), use, waitMs: 0 });
  }

  /** The identifier of a request that waits. */
  async pending(changes: Partial<ApprovalSubject> = {}): Promise<string> {
    const answer = await this.ask(changes);
    if (answer.kind !== "pending") throw new Error(JSON.stringify(answer));
    return answer.id;
  }

  approve(id: string, ruling: { forMs?: number; session?: boolean } = {}) {
    return this.approvals.rule(id, { kind: "approve", ...ruling }, ALICE, "looks right");
  }

  /** `""`, or why it could not be approved. */
  refusal(id: string): string {
    const answer = this.approve(id);
    return answer.ok ? "" : answer.error.code;
  }
}

/** Runs `test` with a desk in a directory that is gone afterwards. */
export async function withDesk(
  test: (desk: Desk, directory: string) => Promise<void> | void,
  changes: Partial<ApprovalsOptions> = {},
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const desk = new Desk(directory, changes);
  try {
    await test(desk, directory);
  } finally {
    desk.approvals.close();
    await Deno.remove(directory, { recursive: true });
  }
}
