import type { ExecutionEvent } from "../core/event.ts";

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  decision: [
    "decision",
    "method",
    "resource",
    "action_class",
    "deny_reason",
    "detail",
    "token_id",
    "bundle_version",
  ],
  exec: [
    "decision",
    "method",
    "resource",
    "action_class",
    "deny_reason",
    "detail",
  ],
  outcome: ["decision_event_id", "abort_reason", "detail"],
  approval: ["change", "approval_id", "action_class", "shown", "detail"],
  policy: ["change", "bundle_version", "detail"],
  config: ["change", "detail"],
  session: ["phase", "command", "profile", "workspace"],
  key: ["change", "detail"],
};
const COMMON = ["kind", "timestamp", "agent_id", "sandbox_id", "session_id", "event_id"];

/**
 * Reads a line of the audit log; `undefined` when it is none. Judges no
 * signature, but a forged line must not be able to stop a monitor either: an
 * envelope that is none of firma's is left out.
 */
export function parseEvent(raw: string): ExecutionEvent | undefined {
  try {
    const value: unknown = JSON.parse(raw);
    if (!isEvent(value)) return undefined;
    if (value.kind !== "decision" || value.envelope === undefined) return value;
    if (isEnvelope(value.envelope)) return value;
    const { envelope: _, ...rest } = value;
    return rest;
  } catch {
    return undefined;
  }
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isEvent(value: unknown): value is ExecutionEvent {
  if (!isMembers(value)) return false;
  if (COMMON.some((name) => typeof value[name] !== "string")) return false;
  const required = REQUIRED[value.kind as string] ?? [];
  if (required.some((name) => typeof value[name] !== "string")) return false;
  if (value.kind === "exec") {
    return isTexts(value.policy_ids) && isMembers(value.execution) &&
      isTexts(value.execution.argv);
  }
  if (value.kind === "config") {
    const { keys, credentials } = value;
    return isTexts(keys) && (credentials === undefined || isChange(credentials));
  }
  return value.kind !== "decision" ||
    (isTexts(value.policy_ids) &&
      (value.provenance === undefined || isMembers(value.provenance)));
}

function isChange(value: unknown): boolean {
  return isMembers(value) && ["added", "changed", "removed"].every((name) => isTexts(value[name]));
}

function isEnvelope(value: unknown): boolean {
  if (!isMembers(value)) return false;
  const { intent, metadata, capability, provenance } = value;
  if (!isMembers(intent) || !isMembers(metadata) || !isMembers(capability)) return false;
  const { resource, attributes, hidden, operations } = intent;
  return isMembers(resource) && isMembers(attributes) && isMembers(provenance) &&
    ["id", "host", "path", "method"].every((name) => typeof resource[name] === "string") &&
    typeof intent.action_class === "string" &&
    (hidden === undefined || isTexts(hidden)) &&
    (operations === undefined || (Array.isArray(operations) && operations.every(isOperation)));
}

function isOperation(value: unknown): boolean {
  return isMembers(value) && typeof value.action_class === "string" && isMembers(value.attributes);
}
