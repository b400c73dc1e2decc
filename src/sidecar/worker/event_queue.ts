import { after } from "../../core/after.ts";
import type { ExecutionEvent } from "../../core/event.ts";
import { type EventSink, RecordingEnded } from "../pipeline/record.ts";
import type { AuditGauge } from "./audit_gauge.ts";
import type { EventRing } from "./event_ring.ts";

/** Room that a decision must find before its call is let out, in characters. */
const USUAL_LENGTH = 16_384;
/** How long a call waits for the log to catch up, and how often it looks. */
const RELIEF_LIMIT_MS = 2_000;
const RELIEF_INTERVAL_MS = 2;

/** Who waits for the event that was the last one sent when it began to wait. */
interface Waiter {
  readonly sent: number;
  readonly failures: number;
  readonly resolve: (isRecorded: boolean) => void;
}

/**
 * Carries events from the worker to the main thread, in order. They are in the main thread's hands
 * as soon as they are in the ring; it is called to read them at once for a decision and at the end
 * of the turn for anything else, because a call costs more than an event.
 */
export class EventQueue implements EventSink {
  readonly #ring: EventRing;
  readonly #gauge: AuditGauge;
  readonly #capacity: number;
  readonly #callReader: () => void;
  #sent = 0;
  /** Outcomes that found no room; no new call is let out before they have. */
  #backlog: string[] = [];
  #relief: Promise<void> | undefined;
  /** Calls off what is to be done soon. */
  #callOff: (() => void) | undefined;
  readonly #isDurable: boolean;
  /** Who waits until an event is on the disk, in the order of the events. */
  #waiters: Waiter[] = [];
  #isWatching = false;

  /**
   * `callReader` makes the main thread read the ring. `isDurable`: nothing leaves before its record
   * is where the log wants it to be.
   */
  constructor(
    ring: EventRing,
    gauge: AuditGauge,
    capacity: number,
    callReader: () => void,
    isDurable = false,
  ) {
    this.#ring = ring;
    this.#gauge = gauge;
    this.#capacity = capacity;
    this.#callReader = callReader;
    this.#isDurable = isDurable;
  }

  accepts(): boolean {
    return !this.#gauge.failed && this.#backlog.length === 0 &&
      this.#gauge.waiting(this.#sent) < this.#capacity && this.#ring.hasRoom(USUAL_LENGTH);
  }

  relief(): Promise<void> | undefined {
    if (!this.#congested) return undefined;
    return this.#relief ??= this.#catchUp().finally(() => this.#relief = undefined);
  }

  push(event: ExecutionEvent, urgency: "now" | "soon"): void {
    const text = this.#serialise(event);
    const isTaken = this.#backlog.length === 0 && this.#ring.write(text);
    if (this.#ring.isClosed) throw new RecordingEnded();
    if (!isTaken) {
      if (event.kind === "decision") throw new Error("the audit log cannot take so much at once");
      this.#backlog.push(text);
    }
    this.#sent = (this.#sent + 1) | 0;
    if (urgency === "now") this.flush();
    else this.#callOff ??= after(0, () => this.flush());
  }

  recorded(): Promise<boolean> | undefined {
    if (!this.#isDurable) return undefined;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiters.push({ sent: this.#sent, failures: this.#gauge.failures, resolve });
    if (!this.#isWatching) this.#watch();
    return promise;
  }

  lose(): void {
    this.#gauge.addLost();
  }

  /** Makes sure that everything is read soon. */
  flush(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    let moved = 0;
    while (moved < this.#backlog.length && this.#ring.write(this.#backlog[moved]!)) moved++;
    if (moved > 0) this.#backlog.splice(0, moved);
    if (this.#ring.mustCall()) this.#callReader();
    if (this.#backlog.length > 0) this.#callOff = after(1, () => this.flush());
  }

  /** Answers who waits, for as long as somebody does. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    while (this.#waiters.length > 0) {
      const seen = this.#gauge.changes;
      this.#answer();
      if (this.#waiters.length > 0) await this.#gauge.changed(seen);
    }
    this.#isWatching = false;
  }

  #answer(): void {
    const { failures, failed } = this.#gauge;
    this.#waiters = this.#waiters.filter((waiter) => {
      // What is counted as written while the log fails may be what came later.
      const isInVain = failed || waiter.failures !== failures;
      if (!isInVain && this.#gauge.waiting(waiter.sent) > 0) return true;
      waiter.resolve(!isInVain);
      return false;
    });
  }

  get #congested(): boolean {
    if (this.#gauge.failed) return false; // waiting does not help
    return this.#gauge.waiting(this.#sent) * 2 >= this.#capacity ||
      !this.#ring.hasRoom(4 * USUAL_LENGTH);
  }

  async #catchUp(): Promise<void> {
    const until = performance.now() + RELIEF_LIMIT_MS;
    do {
      await new Promise<void>((resolve) => after(RELIEF_INTERVAL_MS, resolve));
    } while (this.#congested && performance.now() < until);
  }

  #serialise(event: ExecutionEvent): string {
    const text = JSON.stringify(event);
    if (text.length <= this.#ring.longest || event.kind !== "decision") return text;
    const detail = `${event.detail}; the envelope is left out: it is too long`;
    return JSON.stringify({ ...event, envelope: undefined, detail });
  }
}
