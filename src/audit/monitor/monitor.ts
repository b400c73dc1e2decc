import type { DecisionEvent, ExecutionEvent } from "../../core/event.ts";
import { type EventFilter, matchesFilter } from "./event_filter.ts";
import { formatEvent } from "./event_line.ts";
import { FileChanges } from "./file_changes.ts";
import { LogReader } from "./log_reader.ts";

/** What to show of a log, and how. */
export interface MonitorOptions {
  readonly file: string;
  readonly filter: EventFilter;
  /** Print the lines of the log instead of readable ones. */
  readonly json: boolean;
  /** Whether the reader is a terminal: it gets escapes instead of controls in JSON as well. */
  readonly terminal: boolean;
  readonly colour: boolean;
  /** Begin with so many of the last events; absent: with the first one. */
  readonly tail?: number;
  readonly follow: boolean;
}

/** How many decisions are remembered for the outcomes that follow them. */
const REMEMBERED = 4_096;
/** How far beyond the tail to look for decisions whose outcomes are in it. */
const LOOK_BACK = 256;
/** Lines between two turns of the event loop. */
const TURN = 4_096;

const DAMAGED = 'LOG     damaged: a line is not an audit record; see "firma audit verify"';

// Some terminals obey C1 controls in UTF-8, and all obey bidirectional ones.
const CONTROLS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const decoder = new TextDecoder();

/**
 * Prints the events of an audit log, and goes on with new ones until `signal`
 * aborts when asked to follow. `print` takes a line without its newline.
 */
export async function monitorLog(
  options: MonitorOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const view = new LogView(options);
  const reader = new LogReader(options.file);
  const changes = new FileChanges(options.file);
  try {
    if (options.tail !== undefined) reader.seekBack(view.countBack(options.tail));
    for (;;) {
      let lines = 0;
      for (const line of reader.read()) {
        // Lets a signal through while a long log is read.
        if (++lines % TURN === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        if (signal.aborted) return;
        const text = view.show(line);
        if (text !== undefined) print(text);
      }
      if (!options.follow || signal.aborted) return;
      await changes.next(signal);
    }
  } finally {
    changes.close();
    reader.close();
  }
}

/** Turns lines of the log into lines to print, remembering what later ones refer to. */
class LogView {
  readonly #options: MonitorOptions;
  readonly #decisions = new Map<string, DecisionEvent>();

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  show(line: Uint8Array): string | undefined {
    const raw = decoder.decode(line);
    const event = parse(raw);
    if (event === undefined) return this.#options.json ? this.#json(raw) : DAMAGED;
    this.#remember(event);
    if (!this.#matches(event)) return undefined;
    if (this.#options.json) return this.#json(raw);
    return formatEvent(event, this.#decisionOf(event), this.#options);
  }

  /** For `seekBack`: takes the last `wanted` lines to show, and looks a little further. */
  countBack(wanted: number): (line: Uint8Array) => "take" | "look" | "stop" {
    let shown = 0;
    let looked = 0;
    return (line) => {
      const event = parse(decoder.decode(line));
      if (event !== undefined) this.#remember(event);
      if (shown >= wanted) return looked++ < LOOK_BACK ? "look" : "stop";
      if (event !== undefined && !this.#isShown(event)) return "look";
      shown++;
      return "take";
    };
  }

  #isShown(event: ExecutionEvent): boolean {
    return this.#matches(event) &&
      (this.#options.json || formatEvent(event, undefined, this.#options) !== undefined);
  }

  #matches(event: ExecutionEvent): boolean {
    return matchesFilter(this.#options.filter, event, this.#decisionOf(event));
  }

  #decisionOf(event: ExecutionEvent): DecisionEvent | undefined {
    return event.kind === "outcome" ? this.#decisions.get(event.decision_event_id) : undefined;
  }

  #remember(event: ExecutionEvent): void {
    if (event.kind !== "decision") return;
    this.#decisions.set(event.event_id, event);
    if (this.#decisions.size > REMEMBERED) {
      for (const oldest of this.#decisions.keys()) {
        this.#decisions.delete(oldest);
        break;
      }
    }
  }

  #json(raw: string): string {
    // A program gets the bytes of the log; a terminal gets the same JSON with its controls escaped.
    return this.#options.terminal ? raw.replace(CONTROLS, jsonEscape) : raw;
  }
}

function jsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function parse(raw: string): ExecutionEvent | undefined {
  try {
    const value: unknown = JSON.parse(raw);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The monitor judges no signatures, but a forged line must not be able to stop it either. */
function isEvent(value: unknown): value is ExecutionEvent {
  if (typeof value !== "object" || value === null) return false;
  const members = value as Record<string, unknown>;
  const texts = ["kind", "timestamp", "agent_id", "sandbox_id", "event_id"];
  if (texts.some((name) => typeof members[name] !== "string")) return false;
  const required = REQUIRED[members.kind as string] ?? [];
  return required.every((name) => typeof members[name] === "string") &&
    (members.kind !== "decision" || Array.isArray(members.policy_ids));
}

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  decision: ["decision", "method", "resource", "action_class", "deny_reason", "detail"],
  outcome: ["decision_event_id", "abort_reason", "detail"],
  policy: ["change", "bundle_version", "detail"],
  session: ["phase", "command", "profile"],
  key: ["change", "detail"],
};
