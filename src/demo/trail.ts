import type { DecisionEvent, ExecEvent, ExecutionEvent } from "../core/event.ts";
import { LogReader } from "../monitor/source/log_reader.ts";
import { parseEvent } from "../audit/parse_event.ts";

const decoder = new TextDecoder();
const LOOK_EVERY_MS = 10;

/** What the audit log of a demo holds so far. */
export class Trail {
  readonly events: ExecutionEvent[] = [];
  readonly #reader: LogReader;

  constructor(file: string) {
    this.#reader = new LogReader(file);
  }

  /** Reads what was written since. */
  look(): void {
    for (const line of this.#reader.read()) {
      const event = parseEvent(decoder.decode(line));
      if (event !== undefined) this.events.push(event);
    }
  }

  /** Reads on until `isThere`; resolves to `false` when that takes longer than `patienceMs`. */
  async lookUntil(
    isThere: (events: readonly ExecutionEvent[]) => boolean,
    patienceMs: number,
  ): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      this.look();
      if (isThere(this.events)) return true;
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

/** Whether an event is a call to `host` that was decided. */
export function isCallTo(event: ExecutionEvent, host: string): event is DecisionEvent {
  return event.kind === "decision" && event.resource.startsWith(`${host}/`);
}

/**
 * A decision that a demo shows: each call but those to `model`, and each program that does more than
 * run or may not. What the delete watch finds comes some time after the deed, whose turn may be over.
 */
export function isWorthShowing(
  event: ExecutionEvent,
  model: string,
): event is DecisionEvent | ExecEvent {
  if (event.kind === "decision") return event.method !== "WATCH" && !isCallTo(event, model);
  return event.kind === "exec" &&
    (event.decision !== "ALLOW" || event.action_class !== "system.execute");
}
