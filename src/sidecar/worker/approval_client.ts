import type { ApprovalAnswer, ApprovalDesk, ApprovalQuestion } from "../../approvals/answer.ts";
import { Waiting } from "../waiting.ts";

/** What a worker says of approvals. */
export type ApprovalRequest =
  | { readonly kind: "approval-ask"; readonly number: number; readonly question: ApprovalQuestion }
  /** Whoever waited for the answer is gone. */
  | { readonly kind: "approval-leave"; readonly number: number };

/** The approvals of the main thread, as a worker asks for them. */
export class ApprovalClient implements ApprovalDesk {
  readonly #post: (request: ApprovalRequest) => void;
  readonly #waiting = new Waiting<number, ApprovalAnswer>();
  #asked = 0;

  constructor(post: (request: ApprovalRequest) => void) {
    this.#post = post;
  }

  async ask(question: ApprovalQuestion, left?: AbortSignal): Promise<ApprovalAnswer> {
    const number = ++this.#asked;
    const answer = this.#waiting.answer(number);
    const leave = () => this.#post({ kind: "approval-leave", number });
    this.#post({ kind: "approval-ask", number, question });
    left?.addEventListener("abort", leave, { once: true });
    if (left?.aborted) leave();
    return await answer.finally(() => left?.removeEventListener("abort", leave));
  }

  /** Hears what the main thread said. */
  answer(number: number, answer: ApprovalAnswer): void {
    this.#waiting.settle(number, answer);
  }
}
