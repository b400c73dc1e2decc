import type { AuditState } from "../audit/writer.ts";
import { type ExecutionEvent, isLetOut } from "../core/event.ts";
import type { FirmaError } from "../core/result.ts";
import type { AuditGauge } from "./worker/audit_gauge.ts";

/** The face of the audit writer that feeding it needs. */
export interface AuditTarget {
  readonly state: AuditState;
  append(event: ExecutionEvent): boolean;
  onChange(listener: (state: AuditState, error?: FirmaError) => void): void;
  onAcknowledged(listener: (acknowledged: number) => void): void;
}

interface Accepted {
  /** How many events the writer had accepted with this one. */
  readonly position: number;
  readonly gauge: AuditGauge;
}

interface Held {
  readonly event: ExecutionEvent;
  readonly gauge: AuditGauge;
}

/**
 * Brings the events of the workers and of the main thread to the audit log, and
 * tells each worker by its gauge what became of its own.
 *
 * A worker that let a call out before it knew that the log had failed must not
 * lose its record: such events are held until the log works again. There are at
 * most as many as a worker may have on their way.
 */
export class AuditFeed {
  readonly #target: AuditTarget;
  readonly #gauges = new Set<AuditGauge>();
  readonly #accepted: Accepted[] = [];
  readonly #held: Held[] = [];
  #acceptedCount = 0;

  constructor(target: AuditTarget) {
    this.#target = target;
    target.onChange((state) => this.#stateChanged(state));
    target.onAcknowledged((count) => this.#acknowledge(count));
  }

  /** Keeps `gauge` up to date until {@linkcode detach}. */
  attach(gauge: AuditGauge): void {
    gauge.failed = this.#target.state === "failed";
    this.#gauges.add(gauge);
  }

  /** Leaves the gauge of a worker that ended alone; its events still go to the log. */
  detach(gauge: AuditGauge): void {
    this.#gauges.delete(gauge);
  }

  /** Appends an event of the main thread; `false` when the log does not take it. */
  append(event: ExecutionEvent): boolean {
    if (!this.#target.append(event)) return false;
    this.#acceptedCount++;
    return true;
  }

  /** Appends an event of the worker that `gauge` belongs to. */
  take(event: ExecutionEvent, gauge: AuditGauge): void {
    const denial = (event.kind === "decision" || event.kind === "exec") && !isLetOut(event);
    if (denial && this.#target.state === "failed") {
      // Nothing left the machine. The log counts what it refuses, and says so later.
      this.append(event);
      gauge.addWritten(1);
    } else if (this.#held.length > 0 || !this.#tryTake({ event, gauge })) {
      this.#held.push({ event, gauge });
    }
  }

  #tryTake({ event, gauge }: Held): boolean {
    if (!this.append(event)) return false;
    this.#accepted.push({ position: this.#acceptedCount, gauge });
    return true;
  }

  #stateChanged(state: AuditState): void {
    for (const gauge of this.#gauges) gauge.failed = state === "failed";
    this.#release();
  }

  #acknowledge(count: number): void {
    let done = 0;
    while (done < this.#accepted.length && this.#accepted[done]!.position <= count) {
      this.#accepted[done]!.gauge.addWritten(1);
      done++;
    }
    this.#accepted.splice(0, done);
    this.#release();
  }

  #release(): void {
    let done = 0;
    while (done < this.#held.length && this.#tryTake(this.#held[done]!)) done++;
    this.#held.splice(0, done);
  }
}
