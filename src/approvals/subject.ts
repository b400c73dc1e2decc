/** What an agent wants to do and a person has to approve. Everything in it that has a choice is the agent's. */
export interface ApprovalSubject {
  /**
   * `call`: firma makes it; `question`: a program that asked makes it; `exec`: a program is run;
   * `watch`: the agent goes on after it has lost files.
   */
  readonly kind: "call" | "question" | "exec" | "watch";
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly agentId: string;
  /** SHA-256, hex, over everything that makes this request another one; see `fingerprint.ts`. */
  readonly fingerprint: string;
  readonly actionClass: string;
  /** What the policies ask, sorted. */
  readonly challenges: readonly string[];
  readonly policyIds: readonly string[];
  /** What would happen, in one line. */
  readonly summary: string;
  /** What else somebody has to know to judge it, in order. */
  readonly details: readonly (readonly [name: string, value: string])[];
}

/** What an approval is bound to: only a subject with the same binding passes by it. */
export function bindingOf(subject: ApprovalSubject): string {
  const { kind, sessionId, sandboxId, agentId, fingerprint, actionClass, challenges } = subject;
  return JSON.stringify([
    kind,
    sessionId,
    sandboxId,
    agentId,
    fingerprint,
    actionClass,
    challenges,
  ]);
}
