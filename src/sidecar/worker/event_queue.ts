import type { ExecutionEvent } from "../../core/event.ts";
import type { EventSink } from "../pipeline/record.ts";
import type { AuditGauge } from "./audit_gauge.ts";
import type { EventBatch } from "./messages.ts";

/** The one member of a `MessagePort` that sending events needs. */
export interface EventPort {
  postMessage(batch: EventBatch): void;
}

/**
 * Carries events from the worker to the main thread, in order. A decision is
 * handed over at once, with everything before it; outcomes go together at the end
 * of the turn, because a message costs more than an event.
 */
export class EventQueue implements EventSink {
  readonly #port: EventPort;
  readonly #gauge: AuditGauge;
  readonly #capacity: number;
  #sent = 0;
  #pending: ExecutionEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(port: EventPort, gauge: AuditGauge, capacity: number) {
    this.#port = port;
    this.#gauge = gauge;
    this.#capacity = capacity;
  }

  accepts(): boolean {
    return !this.#gauge.failed && this.#gauge.waiting(this.#sent) < this.#capacity;
  }

  push(event: ExecutionEvent, urgency: "now" | "soon"): void {
    this.#pending.push(event);
    this.#sent = (this.#sent + 1) | 0;
    if (urgency === "now") this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  lose(): void {
    this.#gauge.addLost();
  }

  /** Hands over everything that waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#port.postMessage(batch);
  }
}
