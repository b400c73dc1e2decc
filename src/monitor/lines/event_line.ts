import { escapeForTerminal } from "../../core/escape.ts";
import { countsInSession } from "../../core/session_state.ts";
import { configWords } from "../model/row.ts";
import type { DecisionEvent, ExecEvent, ExecutionEvent } from "../../core/event.ts";

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90 } as const;
/** A colour of a line. */
export type Colour = keyof typeof COLOURS;

const WORD_WIDTH = 7;
const METHOD_WIDTH = 7;
const RESOURCE_WIDTH = 44;

/** One line as the monitor shows it, before the members are padded and joined. */
interface Row {
  readonly word: string;
  readonly colour: Colour;
  readonly method: string;
  readonly what: string;
  /** `what` is a sentence of firma's own, not one word. */
  readonly prose?: boolean;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/**
 * Formats an event as one aligned line without a newline, in local time:
 * `time DECISION METHOD resource class= agent= sandbox= reason= policy=`. `undefined`
 * for an outcome that ended well: its decision was a line already. Everything
 * that an agent may have chosen is escaped.
 */
export function formatEvent(
  event: ExecutionEvent,
  decided: DecisionEvent | undefined,
  options: { readonly colour: boolean },
): string | undefined {
  const row = rowOf(event, decided);
  if (row === undefined) return undefined;
  const { colour } = options;
  const fields = row.fields
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${paint(`${name}=`, "grey", colour)}${field(value)}`);
  return [
    paint(timeOf(event.timestamp), "grey", colour),
    paint(row.word.padEnd(WORD_WIDTH), row.colour, colour),
    field(row.method).padEnd(METHOD_WIDTH),
    (row.prose ? escapeForTerminal(row.what) : field(row.what)).padEnd(
      fields.length > 0 ? RESOURCE_WIDTH : 0,
    ),
    ...fields,
  ].join(" ").trimEnd();
}

/** What was decided of a call or of an execution; `more` goes before what both have. */
function decidedRow(event: DecisionEvent | ExecEvent, more: Row["fields"]): Row {
  return {
    word: event.decision,
    colour: decisionColour(event),
    method: event.method,
    what: event.resource,
    fields: [
      ...more,
      ["class", event.action_class],
      ["agent", event.agent_id],
      ["sandbox", event.sandbox_id],
      ["enforced", event.enforced === false ? "no" : ""],
      ["reason", event.deny_reason],
      ["detail", event.detail],
      ["policy", event.policy_ids.join(",")],
    ],
  };
}

function rowOf(event: ExecutionEvent, decided: DecisionEvent | undefined): Row | undefined {
  switch (event.kind) {
    case "decision":
      return decidedRow(event, []);
    case "exec":
      if (event.repeats !== undefined && !countsInSession(event)) return undefined;
      return decidedRow(event, [["command", event.execution.argv.join(" ")]]);
    case "outcome":
      if (event.abort_reason === "") return undefined;
      return {
        word: "ABORT",
        colour: "yellow",
        method: decided?.method ?? "-",
        what: decided?.resource ?? `decision:${event.decision_event_id}`,
        fields: [
          ["class", decided?.action_class ?? ""],
          ["agent", event.agent_id],
          ["sandbox", event.sandbox_id],
          ["reason", event.abort_reason],
          ["detail", event.detail],
        ],
      };
    case "approval":
      return {
        word: "APPROVAL",
        colour: event.change === "denied"
          ? "red"
          : event.change === "approved"
          ? "green"
          : "yellow",
        method: event.change,
        what: event.approval_id,
        fields: [
          ["class", event.action_class],
          ["agent", event.agent_id],
          ["sandbox", event.sandbox_id],
          ["by", event.by === undefined ? "" : `${event.by.user}(${event.by.uid})`],
          ["for", event.grant ?? ""],
          ["detail", event.detail],
          ["policy", event.policy_ids.join(",")],
        ],
      };
    case "policy":
      return {
        word: "POLICY",
        colour: event.change === "applied" ? "cyan" : "red",
        method: event.change,
        what: event.bundle_version,
        fields: [["detail", event.detail]],
      };
    case "config":
      return {
        word: "CONFIG",
        colour: event.change === "applied" ? "cyan" : "red",
        method: event.change,
        what: configWords(event),
        prose: true,
        fields: [],
      };
    case "session":
      return {
        word: "SESSION",
        colour: "cyan",
        method: event.phase,
        what: event.command,
        fields: [
          ["mode", event.mode ?? ""],
          ["agent", event.agent_id],
          ["profile", event.profile],
          ["sandbox", event.sandbox_id],
          ["exit", event.exit_code === undefined ? "" : String(event.exit_code)],
        ],
      };
    case "sandbox":
      return {
        word: "SANDBOX",
        colour: "yellow",
        method: event.finding,
        what: event.detail,
        prose: true,
        fields: [
          ["class", event.action_class ?? ""],
          ["count", event.count === 1 ? "" : String(event.count)],
          ["total", event.total === undefined ? "" : String(event.total)],
          ["paths", event.paths?.join(" ") ?? ""],
          ["program", event.program?.executable ?? ""],
          ["pid", event.program === undefined ? "" : String(event.program.pid)],
          ["sandbox", event.sandbox_id],
        ],
      };
    case "key":
      return {
        word: "LOG",
        colour: event.change === "truncated" ? "red" : "cyan",
        method: event.change,
        what: event.detail,
        prose: true,
        fields: [],
      };
    default:
      return undefined; // a kind of a later version
  }
}

function decisionColour({ decision, enforced }: DecisionEvent | ExecEvent): Colour {
  if (enforced === false) return "yellow";
  if (decision === "ALLOW" || decision === "PASSTHROUGH") return "green";
  return decision === "DENY" ? "red" : "yellow";
}

/** A word; one with a space in it is quoted, so that the next field cannot be forged. */
function field(value: string): string {
  const escaped = escapeForTerminal(value);
  return /[\s"]/.test(escaped) ? `"${escaped.replaceAll('"', '\\"')}"` : escaped;
}

function timeOf(timestamp: string): string {
  const at = new Date(timestamp);
  if (!Number.isNaN(at.getTime())) return localTime(at);
  return escapeForTerminal(timestamp).slice(0, 19).padEnd(19);
}

/** Date and time on the clock of this machine, to the second. */
export function localTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Wraps text in an SGR sequence (ECMA-48) where colours are wanted. */
export function paint(text: string, colour: Colour, wanted: boolean): string {
  return wanted ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}
