import type { DecisionEvent, ExecutionEvent } from "../../core/event.ts";
import type { DamagedEntry, EventEntry } from "./entry.ts";
import { LogReader } from "./log_reader.ts";
import { type ClosedFile, closedFiles } from "../../audit/closed_file.ts";
import { parseEvent } from "../../audit/parse_event.ts";
import { fileIdentity } from "../../audit/rotated_files.ts";
import { type ClosedLines, closedLines } from "./closed_lines.ts";
import type { EntrySource } from "./entry_source.ts";

/** How many decisions are remembered for the outcomes that follow them. */
const REMEMBERED = 2_048;
/** How far beyond the tail to look for decisions whose outcomes are in it. */
const LOOK_BACK = 256;

const decoder = new TextDecoder();

/**
 * The lines of an audit log as entries, each outcome with the decision that it belongs to; those in
 * closed files first.
 */
export class AuditEntries implements EntrySource {
  readonly #file: string;
  readonly #sinceMs: number;
  readonly #reader: LogReader;
  /** Closed files that are still to be read; `undefined`: not looked for yet. */
  #past: ClosedLines[] | undefined;
  readonly #decisions = new Map<string, DecisionEvent>();
  #latestMs = 0;

  /** Closed files whose last line is from before `sinceMs` are passed over. */
  constructor(file: string, sinceMs = 0) {
    this.#file = file;
    this.#sinceMs = sinceMs;
    this.#reader = new LogReader(file);
  }

  *read(): Generator<EventEntry | DamagedEntry> {
    this.#past ??= this.#closedBefore().map(closedLines);
    for (let past = this.#past.shift(); past !== undefined; past = this.#past.shift()) {
      yield* this.#entries(past.read());
      past.close();
    }
    yield* this.#entries(this.#reader.read());
  }

  *#entries(lines: Iterable<Uint8Array>): Generator<EventEntry | DamagedEntry> {
    for (const line of lines) {
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
    let isOver = false;
    const visit = (line: Uint8Array): "take" | "look" | "stop" => {
      const raw = decoder.decode(line);
      const event = parseEvent(raw);
      if (event !== undefined) this.#remember(event);
      if (shown >= wanted) {
        isOver = looked++ >= LOOK_BACK;
        return isOver ? "stop" : "look";
      }
      const entry: EventEntry | DamagedEntry = event === undefined
        ? { kind: "damaged", atMs: 0, raw }
        : { kind: "event", atMs: 0, raw, event, decided: this.#decisionOf(event) };
      if (!isShown(entry)) return "look";
      shown++;
      return "take";
    };
    const closed = this.#closedBefore();
    this.#reader.seekBack(visit);
    this.#past = [];
    for (const file of closed.reverse()) {
      if (isOver) break;
      const past = closedLines(file);
      past.seekBack(visit);
      this.#past.unshift(past);
    }
  }

  close(): void {
    for (const past of this.#past ?? []) past.close();
    this.#reader.close();
  }

  /** The closed files, but for one that was closed since the reader opened it. */
  #closedBefore(): ClosedFile[] {
    const opened = this.#reader.begin();
    return closedFiles(this.#file).filter(({ path }) => {
      try {
        const found = Deno.statSync(path);
        return fileIdentity(found) !== opened && (found.mtime?.getTime() ?? 0) >= this.#sinceMs;
      } catch (cause) {
        if (cause instanceof Deno.errors.NotFound) return false;
        throw cause;
      }
    });
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
