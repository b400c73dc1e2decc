import { escapeForTerminal } from "../core/escape.ts";
import type { ApprovalSubject } from "./subject.ts";

/** Longer than this nobody reads it, and what nobody reads nobody can approve. */
export const LONGEST_TEXT = 16_384;

const KINDS = {
  call: "wants to call",
  question: "asks whether it may call",
  exec: "wants to run",
  watch: "is stopped, and wants to go on, after",
} as const;

/**
 * What a person is shown of a subject, line by line, and what the audit log says that they were
 * shown. Nothing in it moves a cursor, breaks a line or turns text around, whatever the agent chose.
 */
export function approvalText(subject: ApprovalSubject): string {
  const rows: (readonly [string, string])[] = [
    ...subject.challenges.map((challenge) => ["question", challenge] as const),
    [KINDS[subject.kind], subject.summary],
    ...subject.details,
    ["action class", subject.actionClass],
    ["agent", subject.agentId],
    ["session", subject.sessionId],
    ["sandbox", subject.sandboxId],
    ["policies", subject.policyIds.join(", ")],
  ];
  const shown = rows.filter(([, value]) => value !== "").map(([name, value]) =>
    [escapeForTerminal(name), escapeForTerminal(value)] as const
  );
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
