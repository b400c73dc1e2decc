import type { ApprovalAnswer, ApprovalDesk, ApprovalQuestion } from "../approvals/answer.ts";
import type { Approval, Approver } from "../approvals/approval.ts";
import type { Approvals, Ruling } from "../approvals/approvals.ts";
import type { Result } from "../core/result.ts";
import type { ApprovalControl } from "./control_approvals.ts";
import type { OpenApprovalsOptions } from "./open_approvals.ts";

/** The approvals of a Sidecar, loaded when somebody asks for the first one: most runs never do. */
export class LateApprovals implements ApprovalDesk, ApprovalControl {
  readonly #options: OpenApprovalsOptions;
  readonly #directory: string;
  #loading: Promise<Approvals> | undefined;
  #loaded: Approvals | undefined;
  #isClosed = false;

  /** `directory` is that of the control socket. */
  constructor(options: OpenApprovalsOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
  }

  async ask(question: ApprovalQuestion, left?: AbortSignal): Promise<ApprovalAnswer> {
    try {
      const approvals = await this.#load();
      if (this.#isClosed) return refused("the Sidecar is about to end");
      return await approvals.ask(question, left);
    } catch (cause) {
      return refused(cause instanceof Error ? cause.message : String(cause));
    }
  }

  async list(): Promise<readonly Approval[]> {
    return (await this.#load()).list();
  }

  async rule(id: string, ruling: Ruling, by: Approver, reason: string): Promise<Result<Approval>> {
    return (await this.#load()).rule(id, ruling, by, reason);
  }

  async identify(proof: unknown, via: Approver["via"]): Promise<Result<Approver>> {
    const { identifyApprover } = await import("./approver.ts");
    return await identifyApprover(this.#directory, proof, via);
  }

  /** Ends what a session that has ended was waiting for or allowed. */
  endSession(sessionId: string): void {
    this.#loaded?.endSession(sessionId);
  }

  /** Answers whoever waits. What waits for people can be taken over by the next Sidecar. */
  close(): void {
    this.#isClosed = true;
    this.#loaded?.close();
    this.#loaded = undefined;
  }

  async #load(): Promise<Approvals> {
    this.#loading ??= import("./open_approvals.ts").then(({ openApprovals }) => {
      const approvals = openApprovals(this.#options);
      if (!this.#isClosed) this.#loaded = approvals;
      return approvals;
    });
    return await this.#loading;
  }
}

function refused(detail: string): ApprovalAnswer {
  return { kind: "refused", reason: "FailClosed", detail: `it cannot be asked for: ${detail}` };
}
