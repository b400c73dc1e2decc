import { credentialWords } from "../../core/credential_change.ts";
import type {
  ApprovalEvent,
  ConfigEvent,
  DecisionEvent,
  ExecEvent,
  ExecutionEvent,
  OutcomeEvent,
} from "../../core/event.ts";
import { countsInSession } from "../../core/session_state.ts";
import type { RawPlace } from "./raw_store.ts";
import type { Entry } from "../source/entry.ts";

/** How good the news of a row is. */
export type Tone = "good" | "bad" | "warn" | "info" | "quiet";

/** One line of the list that a view shows. What an agent chose stands in it as it is. */
export interface Row {
  /** Counts from 1 over everything that was seen. */
  readonly n: number;
  readonly atMs: number;
  /** `ALLOW`, `DENY`, …; `POLICY`, `SESSION`, `LOG`; or the name of a component. */
  readonly word: string;
  readonly tone: Tone;
  readonly method: string;
  /** The resource of a call, else what there is to say. */
  readonly what: string;
  readonly actionClass: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly reason: string;
  /** The decision that can be explained here, `""` where there is none. */
  readonly decisionId: string;
  /** Where the line of the log is kept. */
  readonly raw: RawPlace;
  /** How an allowed call ended, once that is known. */
  outcome?: OutcomeEvent;
}

/** A row without its number and its line. */
export type RowDraft = Omit<Row, "n" | "raw">;

const NOTHING = {
  method: "",
  what: "",
  actionClass: "",
  agentId: "",
  sessionId: "",
  reason: "",
  decisionId: "",
};

/** The row that shows an entry; nothing for an outcome that ended well. */
export function rowOf(entry: Entry): RowDraft | undefined {
  const { atMs } = entry;
  switch (entry.kind) {
    case "damaged":
      return {
        ...NOTHING,
        atMs,
        word: "LOG",
        tone: "bad",
        what: "a line is not an audit record; see firma audit verify",
      };
    case "component":
      return {
        ...NOTHING,
        atMs,
        word: entry.source.toUpperCase(),
        tone: /\b(error|fatal|panic)\b/i.test(entry.text) ? "bad" : "quiet",
        what: entry.text,
      };
    case "event": {
      const row = eventRow(entry.event, entry.decided);
      if (row === undefined) return undefined;
      const { agent_id: agentId, session_id: sessionId } = entry.event;
      return { ...NOTHING, agentId, sessionId, atMs, ...row };
    }
  }
}

type EventRow = Pick<RowDraft, "word" | "tone"> & Partial<RowDraft>;

function eventRow(
  event: ExecutionEvent,
  decided: DecisionEvent | undefined,
): EventRow | undefined {
  switch (event.kind) {
    case "decision":
      return {
        word: event.decision,
        tone: toneOf(event),
        method: event.method,
        what: event.resource,
        actionClass: event.action_class,
        reason: event.enforced === false
          ? `${event.deny_reason} (not enforced)`
          : event.deny_reason,
        decisionId: event.event_id,
      };
    case "exec":
      // A program that runs again by the same decision would bury all else.
      if (event.repeats !== undefined && !countsInSession(event)) return undefined;
      return {
        word: event.decision,
        tone: toneOf(event),
        method: event.method,
        what: event.execution.argv.join(" ") || event.resource,
        actionClass: event.action_class,
        reason: event.enforced === false
          ? `${event.deny_reason} (not enforced)`
          : event.deny_reason,
      };
    case "outcome":
      if (event.abort_reason === "") return undefined;
      return {
        word: "ABORT",
        tone: "warn",
        method: decided?.method ?? "",
        what: decided?.resource ?? "a call from before this view",
        actionClass: decided?.action_class ?? "",
        reason: event.abort_reason,
        decisionId: event.decision_event_id,
      };
    case "approval":
      return {
        word: "APPROVAL",
        tone: APPROVAL_TONES.get(event.change) ?? "info",
        what: approvalWords(event),
        actionClass: event.action_class,
        reason: event.change,
      };
    case "policy":
      return {
        word: "POLICY",
        tone: event.change === "applied" ? "info" : "bad",
        what: [`${event.change} ${event.bundle_version}`.trimEnd(), event.detail]
          .filter((part) => part !== "").join(": "),
      };
    case "config":
      return {
        word: "CONFIG",
        tone: event.change === "applied" ? "info" : "bad",
        what: configWords(event),
      };
    case "session":
      return {
        word: "SESSION",
        tone: "info",
        what: `${event.phase} ${event.command}` +
          (event.mode === "monitor" ? ", policies not enforced" : "") +
          (event.exit_code === undefined ? "" : `, exit ${event.exit_code}`),
      };
    case "sandbox":
      return {
        word: "SANDBOX",
        tone: "warn",
        // Of files the text tells how many there are.
        what: event.detail +
          (event.count > 1 && event.total === undefined ? `, ${event.count} times` : ""),
        ...(event.action_class && { actionClass: event.action_class }),
        reason: event.finding,
      };
    case "key":
      return {
        word: "LOG",
        tone: event.change === "truncated" ? "bad" : "info",
        what: [event.change, event.detail].filter((part) => part !== "").join(": "),
      };
    default:
      return undefined; // a kind of a later version
  }
}

const APPROVAL_TONES: ReadonlyMap<string, Tone> = new Map(Object.entries<Tone>({
  requested: "warn",
  approved: "good",
  denied: "bad",
}));

/** What became of an approval, by whom, and what for. */
export function approvalWords({ change, approval_id, by, detail }: ApprovalEvent): string {
  const who = by === undefined ? "" : ` by ${by.user}`;
  return `${change} ${approval_id}${who}${detail === "" ? "" : `: ${detail}`}`;
}

function toneOf({ decision, enforced }: DecisionEvent | ExecEvent): Tone {
  if (enforced === false) return "warn";
  if (decision === "ALLOW" || decision === "PASSTHROUGH") return "good";
  return decision === "DENY" ? "bad" : "warn";
}

/** What an edit of `firma.toml` came to, in one line. */
export function configWords({ change, keys, credentials, detail }: ConfigEvent): string {
  const named = credentials === undefined ? "" : credentialWords(credentials);
  return [change, ...keys, named, detail].filter((part) => part !== "").join(", ");
}
