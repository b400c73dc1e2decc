/** Whether the audit log can be written; part of {@linkcode AuditGauge}. */
const STATE = 0;
/** How many events of this worker are in the log, modulo 2^32. */
const WRITTEN = 1;
/** How many denials the worker could not record, modulo 2^32. */
const LOST = 2;
const SLOTS = 3;

/**
 * What the main thread knows of the audit log, in memory that the worker reads
 * without asking: a call must not leave on an answer that is a message old.
 * Each worker has its own, because each counts its own events.
 */
export class AuditGauge {
  readonly buffer: SharedArrayBuffer;
  readonly #slots: Int32Array;

  constructor(buffer = new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#slots = new Int32Array(buffer);
  }

  get failed(): boolean {
    return Atomics.load(this.#slots, STATE) !== 0;
  }

  set failed(value: boolean) {
    Atomics.store(this.#slots, STATE, value ? 1 : 0);
  }

  /** Says that `count` more events are in the log. */
  addWritten(count: number): void {
    Atomics.add(this.#slots, WRITTEN, count);
  }

  /** How many of `sent` events, counted modulo 2^32, are not in the log yet. */
  waiting(sent: number): number {
    return (sent - Atomics.load(this.#slots, WRITTEN)) | 0;
  }

  addLost(): void {
    Atomics.add(this.#slots, LOST, 1);
  }

  /** How many denials were not recorded since the last time this was asked. */
  takeLost(): number {
    return Atomics.exchange(this.#slots, LOST, 0);
  }
}
