import type { ApprovalAnswer, ApprovalDesk } from "../approvals/answer.ts";
import type { ApprovalRequest } from "./worker/approval_client.ts";

/** What is said where nobody keeps approvals. */
const NOBODY: ApprovalAnswer = {
  kind: "refused",
  reason: "FailClosed",
  detail: "nobody can be asked for an approval",
};

/** Puts what a worker asks to the approvals of the main thread, as long as the worker lives. */
export class ApprovalCounter {
  readonly #desk: ApprovalDesk | undefined;
  readonly #asking = new Map<number, AbortController>();

  constructor(desk: ApprovalDesk | undefined) {
    this.#desk = desk;
  }

  /** Hears a worker; `reply` goes to that one alone. */
  take(request: ApprovalRequest, reply: (number: number, answer: ApprovalAnswer) => void): void {
    const { kind, number } = request;
    if (kind === "approval-leave") return this.#asking.get(number)?.abort();
    const left = new AbortController();
    this.#asking.set(number, left);
    const answer = this.#desk?.ask(request.question, left.signal) ?? Promise.resolve(NOBODY);
    answer.then((said) => {
      if (this.#asking.get(number) === left) this.#asking.delete(number);
      reply(number, said);
    });
  }

  /** The worker is gone, and with it whoever waited. */
  workerEnded(): void {
    const asking = [...this.#asking.values()];
    this.#asking.clear();
    for (const left of asking) left.abort();
  }
}
