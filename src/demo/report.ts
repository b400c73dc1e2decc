import type { DecisionEvent, ExecEvent } from "../core/event.ts";
import { explainDecision } from "../monitor/explain/explain.ts";
import type { PolicyTexts } from "../monitor/explain/policy_texts.ts";

/** A policy that determined a decision, and where it stands. */
export interface PolicyLine {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** A decision as a demo shows it. */
export interface ShownDecision {
  readonly decision: string;
  /** `""` where it was allowed. */
  readonly reason: string;
  readonly action_class: string;
  /** Method and resource of a call; the command line of a program. */
  readonly what: string;
  /** In a sentence. */
  readonly why: string;
  readonly policies: readonly PolicyLine[];
  readonly event_id: string;
}

/** What an agent did next, and what became of it. */
export interface Step {
  readonly explain: string;
  readonly says: string;
  /** `""` where the agent was done. */
  readonly command: string;
  readonly decisions: readonly ShownDecision[];
}

/** What the operator did at the end. */
export interface Finale {
  readonly explain: string;
  readonly command: string;
  /** What that printed, without empty lines. */
  readonly printed: readonly string[];
}

/** How a demo went. */
export interface Report {
  readonly demo: string;
  readonly steps: readonly Step[];
  /** Requests that reached a service, the model's left out. */
  readonly reached: readonly string[];
  /** How often the model was asked; each of these calls was decided, too. */
  readonly model_calls: number;
  /** Absent where there was nothing left to do. */
  readonly finale?: Finale;
  readonly log: { readonly whole: boolean; readonly lines: number };
  /** What did not go as it should; empty when the demo went well. */
  readonly problems: readonly string[];
}

/** Says of a recorded decision what a demo shows of it. */
export function shownDecision(event: DecisionEvent | ExecEvent, texts: PolicyTexts): ShownDecision {
  const { why, policies } = explainDecision({ ...event, kind: "decision" }, undefined, texts);
  return {
    decision: event.decision,
    reason: event.deny_reason,
    action_class: event.action_class,
    what: event.kind === "exec"
      ? event.execution.argv.join(" ")
      : `${event.method} ${event.resource}`,
    why,
    policies: policies.map(({ id, file, line, text }) => ({ id, file, line, text })),
    event_id: event.event_id,
  };
}
