import { isId } from "../core/id.ts";
import type { Approval, ApprovalState, Grant } from "./approval.ts";
import type { ApprovalSubject } from "./subject.ts";

const STATES: readonly ApprovalState[] = [
  "pending",
  "approved",
  "denied",
  "used",
  "expired",
  "revoked",
];
const GRANTS: readonly Grant[] = ["once", "period", "session"];

/** Reads an approval as the journal has it; `undefined` when it is none. */
export function parseApproval(line: string): Approval | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isApproval(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isApproval(value: unknown): value is Approval {
  if (!isMembers(value)) return false;
  const { id, subject, state, requestedMs, untilMs, grant, uses } = value;
  return typeof id === "string" && isId("apr", id) && isSubject(subject) &&
    STATES.includes(state as ApprovalState) &&
    [requestedMs, untilMs, uses].every((number) => Number.isSafeInteger(number)) &&
    (state !== "approved" || GRANTS.includes(grant as Grant));
}

function isSubject(value: unknown): value is ApprovalSubject {
  if (!isMembers(value)) return false;
  const { kind, challenges, policyIds, details } = value;
  return ["call", "question", "exec", "watch"].includes(kind as string) &&
    ["sessionId", "sandboxId", "agentId", "fingerprint", "actionClass", "summary"]
      .every((name) => typeof value[name] === "string") &&
    isTexts(challenges) && isTexts(policyIds) && Array.isArray(details) && details.every(isTexts);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
