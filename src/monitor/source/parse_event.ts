import type { ExecutionEvent } from "../../core/event.ts";

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  decision: ["decision", "method", "resource", "action_class", "deny_reason", "detail"],
  outcome: ["decision_event_id", "abort_reason", "detail"],
  policy: ["change", "bundle_version", "detail"],
  session: ["phase", "command", "profile"],
  key: ["change", "detail"],
};
const COMMON = ["kind", "timestamp", "agent_id", "sandbox_id", "event_id"];

/**
 * Reads a line of the audit log; `undefined` when it is none. Judges no
 * signature, but a forged line must not be able to stop a monitor either.
 */
export function parseEvent(raw: string): ExecutionEvent | undefined {
  try {
    const value: unknown = JSON.parse(raw);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is ExecutionEvent {
  if (typeof value !== "object" || value === null) return false;
  const members = value as Record<string, unknown>;
  if (COMMON.some((name) => typeof members[name] !== "string")) return false;
  const required = REQUIRED[members.kind as string] ?? [];
  if (required.some((name) => typeof members[name] !== "string")) return false;
  if (members.kind !== "decision") return true;
  const { policy_ids, envelope } = members;
  return Array.isArray(policy_ids) && policy_ids.every((id) => typeof id === "string") &&
    (envelope === undefined || (typeof envelope === "object" && envelope !== null));
}
