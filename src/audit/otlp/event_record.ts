import type { LogLine } from "../ship/destination.ts";
import { searchedParts } from "../search/event_filter.ts";
import type { Attributes, LogRecord } from "./encode_logs.ts";

type Members = Readonly<Record<string, unknown>>;

const INFO = { severityNumber: 9, severityText: "INFO" };
const WARN = { severityNumber: 13, severityText: "WARN" };
const ERROR = { severityNumber: 17, severityText: "ERROR" };

const decoder = new TextDecoder();

/**
 * A line of the log as a record of OpenTelemetry: the signed line is the body, and what it is
 * searched by are attributes, by the names of the semantic conventions where they have one and as
 * `firma.*` otherwise. `nowMs` is when it is shipped, since the epoch.
 */
export function eventRecord({ seq, bytes }: LogLine, nowMs: number): LogRecord {
  const body = decoder.decode(bytes);
  const members = membersOf(body);
  const observedTimeUnixNano = BigInt(Math.floor(nowMs)) * 1_000_000n;
  return {
    timeUnixNano: nanoseconds(members.timestamp) ?? observedTimeUnixNano,
    observedTimeUnixNano,
    ...severity(members),
    body,
    eventName: `firma.${text(members.kind) ?? "unknown"}`,
    attributes: { "firma.seq": seq, ...attributes(members) },
  };
}

function attributes(members: Members): Attributes {
  const { host } = searchedParts(members);
  const execution = isMembers(members.execution) ? members.execution : {};
  const isHttp = members.kind === "decision" && host !== "";
  return {
    "log.record.uid": text(members.event_id),
    "session.id": text(members.session_id),
    "gen_ai.agent.id": text(members.agent_id),
    "firma.sandbox_id": text(members.sandbox_id),
    "firma.decision": text(members.decision),
    "firma.enforced": members.enforced === false ? false : undefined,
    "firma.deny_reason": text(members.deny_reason),
    "firma.action_class": text(members.action_class),
    "firma.resource": text(members.resource),
    "firma.policy_ids": texts(members.policy_ids),
    "firma.bundle_version": text(members.bundle_version),
    "firma.token_id": text(members.token_id),
    "firma.approval_id": text(members.approval_id),
    "firma.decision_event_id": text(members.decision_event_id),
    "firma.change": text(members.change) ?? text(members.phase) ?? text(members.finding),
    "firma.detail": text(members.detail),
    "firma.latency_us": number(members.latency_us),
    "server.address": isHttp ? host : undefined,
    "http.request.method": isHttp ? text(members.method) : undefined,
    "http.response.status_code": number(members.status) || undefined,
    "http.request.size": number(members.request_bytes),
    "http.response.size": number(members.response_bytes),
    "error.type": text(members.abort_reason),
    "process.pid": number(execution.pid),
    "process.executable.path": text(execution.file),
    "process.command_args": texts(execution.argv),
    "process.working_directory": text(execution.cwd),
  };
}

function severity({ kind, decision, abort_reason, change }: Members) {
  if (decision === "ABORT" || (kind === "key" && change !== "created")) return ERROR;
  if (text(abort_reason) !== undefined || kind === "sandbox") return WARN;
  const isFine = decision === undefined || decision === "ALLOW" || decision === "PASSTHROUGH";
  return isFine ? INFO : WARN;
}

/** Nanoseconds since the epoch of an RFC 3339 timestamp in UTC; a `Date` has milliseconds. */
function nanoseconds(timestamp: unknown): bigint | undefined {
  const match = /^(.{19})(?:\.(\d{1,9}))?Z$/.exec(text(timestamp) ?? "");
  if (match === null) return undefined;
  const seconds = Date.parse(`${match[1]}Z`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

function membersOf(line: string): Members {
  try {
    const value: unknown = JSON.parse(line);
    return isMembers(value) ? value : {};
  } catch {
    return {}; // damage is shipped as it is
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value.map(String) : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
