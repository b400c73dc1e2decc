import type { DecisionEvent, ExecutionEvent } from "../../core/event.ts";
import type { DamagedEntry, EventEntry } from "./entry.ts";
import { LogReader } from "./log_reader.ts";
import { parseEvent } from "../../audit/parse_event.ts";
import type { EntrySource } from "./entry_source.ts";

/** How many decisions are remembered for the outcomes that follow them. */
const REMEMBERED = 2_048;
/** How far beyond the tail to look for decisions whose outcomes are in it. */
const LOOK_BACK = 256;

const decoder = new TextDecoder();

/** The lines of an audit log as entries, each outcome with the decision that it belongs to. */
export class AuditEntries implements EntrySource {
  readonly #reader: LogReader;
  readonly #decisions = new Map<string, DecisionEvent>();
  #latestMs = 0;

  constructor(file: string) {
    this.#reader = new LogReader(file);
  }

  *read(): Generator<EventEntry | DamagedEntry> {
    for (const line of this.#reader.read()) {
      const raw = decoder.decode(line);
      const event = parseEvent(raw);
      if (event === undefined) {
        yield { kind: "damaged", atMs: this.#latestMs, raw };
        continue;
      }
      this.#remember(event);
      const at = Date.parse(event.timestamp);
      if (at > this.#latestMs) this.#latestMs = at;
      yield { kind: "event", atMs: this.#latestMs, raw, event, decided: this.#decisionOf(event) };
    }
  }

  seekBack(wanted: number, isShown: (entry: EventEntry | DamagedEntry) => boolean): void {
    let shown = 0;
    let looked = 0;
    this.#reader.seekBack((line) => {
      const raw = decoder.decode(line);
      const event = parseEvent(raw);
      if (event !== undefined) this.#remember(event);
      if (shown >= wanted) return looked++ < LOOK_BACK ? "look" : "stop";
      const entry: EventEntry | DamagedEntry = event === undefined
        ? { kind: "damaged", atMs: 0, raw }
        : { kind: "event", atMs: 0, raw, event, decided: this.#decisionOf(event) };
      if (!isShown(entry)) return "look";
      shown++;
      return "take";
    });
  }

  close(): void {
    this.#reader.close();
  }

  #decisionOf(event: ExecutionEvent): DecisionEvent | undefined {
    return event.kind === "outcome" ? this.#decisions.get(event.decision_event_id) : undefined;
  }

  #remember(event: ExecutionEvent): void {
    if (event.kind !== "decision") return;
    // An envelope is most of a line, and no line about an outcome needs it.
    const { envelope: _, ...brief } = event;
    this.#decisions.set(event.event_id, brief);
    if (this.#decisions.size <= REMEMBERED) return;
    for (const oldest of this.#decisions.keys()) {
      this.#decisions.delete(oldest);
      break;
    }
  }
}
