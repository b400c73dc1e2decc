import type { ExecutionEvent, PolicyEvent, SessionEvent } from "../../core/event.ts";
import type { Entry } from "../source/entry.ts";
import { Counts } from "./counts.ts";
import { RawStore } from "./raw_store.ts";
import { Rate } from "./rate.ts";
import { type Row, rowOf } from "./row.ts";

/** How many rows a board keeps unless it is told otherwise. */
const CAPACITY = 3_000;
const MOST_SESSIONS = 512;
const MOST_CHANGES = 20;

/** What the log says of a session. */
export interface LoggedSession {
  readonly event: SessionEvent;
  actions: number;
  denies: number;
  hasEnded: boolean;
}

/** The state of the log, as far as reading it tells. */
export interface LogHealth {
  readonly lines: number;
  readonly damaged: number;
  /** Places where numbers of lines are missing. */
  readonly gaps: number;
  /** What the log said of itself that an operator must see; `""` when there is nothing. */
  readonly alarm: string;
}

/** What an entry changed. */
export interface Change {
  readonly added?: Row;
  /** A row that was there and now says more. */
  readonly updated?: Row;
}

/**
 * Everything that a view shows of the logs: a fold over their entries, in
 * memory that does not grow with them.
 */
export class Board {
  readonly decisions = new Counts();
  readonly classes = new Counts();
  readonly agents = new Counts();
  readonly rate = new Rate();
  readonly sessions = new Map<string, LoggedSession>();
  /** The latest changes of policy, newest last. */
  readonly policyChanges: PolicyEvent[] = [];
  readonly #capacity: number;
  readonly #raws = new RawStore();
  readonly #rows: Row[] = [];
  readonly #byDecision = new Map<string, Row>();
  #seen = 0;
  #log = { lines: 0, damaged: 0, gaps: 0, alarm: "" };
  #lastSeq: number | undefined;

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  /** The rows that are remembered, oldest first. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** The number of the last row. */
  get lastN(): number {
    return this.#seen;
  }

  get log(): LogHealth {
    return this.#log;
  }

  /** The row with this number, while it is remembered. */
  row(n: number): Row | undefined {
    const first = this.#rows[0]?.n ?? 1;
    return this.#rows[n - first];
  }

  /** The row of a decision, while it is remembered. */
  decisionRow(decisionId: string): Row | undefined {
    return this.#byDecision.get(decisionId);
  }

  /** The line of the log that a row shows, while it is remembered. */
  lineOf(row: Row): string | undefined {
    return this.#raws.get(row.raw);
  }

  /** Takes the next entry. */
  add(entry: Entry): Change {
    if (entry.kind === "damaged") this.#log = { ...this.#log, damaged: this.#log.damaged + 1 };
    if (entry.kind === "event") this.#count(entry.event, entry.atMs);
    const draft = rowOf(entry);
    if (draft === undefined) return this.#close(entry);
    const row: Row = { n: ++this.#seen, raw: this.#raws.put(entry.raw), ...draft };
    this.#rows.push(row);
    // In pieces: moving thousands of rows for each new one would cost more than all the rest.
    if (this.#rows.length > this.#capacity * 1.25) this.#forget();
    if (entry.kind === "event" && entry.event.kind === "decision") {
      this.#byDecision.set(row.decisionId, row);
      return { added: row };
    }
    const { updated } = this.#close(entry);
    return { added: row, ...(updated && { updated }) };
  }

  /** An outcome says how the call of another row ended. */
  #close(entry: Entry): Change {
    if (entry.kind !== "event" || entry.event.kind !== "outcome") return {};
    const updated = this.#byDecision.get(entry.event.decision_event_id);
    if (updated === undefined) return {};
    updated.outcome = entry.event;
    return { updated };
  }

  #forget(): void {
    for (const row of this.#rows.splice(0, this.#rows.length - this.#capacity)) {
      if (this.#byDecision.get(row.decisionId) === row) this.#byDecision.delete(row.decisionId);
    }
  }

  #count(event: ExecutionEvent, atMs: number): void {
    this.#follow(event);
    switch (event.kind) {
      case "decision": {
        const denied = event.decision === "DENY";
        this.decisions.add(event.decision, denied);
        this.classes.add(event.action_class, denied);
        this.agents.add(event.agent_id, denied);
        this.rate.add(atMs, denied);
        const session = this.sessions.get(event.session_id);
        if (session === undefined) break;
        session.actions++;
        if (denied) session.denies++;
        break;
      }
      case "outcome":
        if (event.abort_reason !== "") this.decisions.add("ABORT", false);
        break;
      case "policy":
        this.policyChanges.push(event);
        if (this.policyChanges.length > MOST_CHANGES) this.policyChanges.shift();
        break;
      case "session":
        this.#session(event);
        break;
      case "key":
        if (event.change === "truncated") this.#log.alarm = "lines are missing";
        break;
    }
  }

  /** The numbers of lines go up by one; only a new file begins with 1 again. */
  #follow(event: ExecutionEvent): void {
    const { seq } = event as { readonly seq?: unknown };
    const follows = this.#lastSeq === undefined || seq === 1 || seq === this.#lastSeq + 1;
    this.#lastSeq = typeof seq === "number" ? seq : undefined;
    const gaps = follows || this.#lastSeq === undefined ? 0 : 1;
    this.#log = {
      ...this.#log,
      lines: this.#log.lines + 1,
      gaps: this.#log.gaps + gaps,
    };
  }

  #session(event: SessionEvent): void {
    const known = this.sessions.get(event.session_id);
    if (event.phase === "ended") {
      if (known) known.hasEnded = true;
      return;
    }
    this.sessions.set(event.session_id, { event, actions: 0, denies: 0, hasEnded: false });
    if (this.sessions.size <= MOST_SESSIONS) return;
    for (const oldest of this.sessions.keys()) {
      this.sessions.delete(oldest);
      break;
    }
  }
}
