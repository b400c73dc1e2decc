/** Whether the audit log can be written; part of {@linkcode AuditGauge}. */
const STATE = 0;
/** How many events of this worker are in the log, modulo 2^32. */
const WRITTEN = 1;
/** How many denials the worker could not record, modulo 2^32. */
const LOST = 2;
/** How often the log began to fail, modulo 2^32. */
const FAILURES = 3;
/** Rises with each of the others but {@linkcode LOST}, for whoever waits for them. */
const CHANGES = 4;
const SLOTS = 5;

/** However it is woken, whoever waits looks again after this long, in milliseconds. */
const LOOK_MS = 500;

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
    if (value && !this.failed) Atomics.add(this.#slots, FAILURES, 1);
    Atomics.store(this.#slots, STATE, value ? 1 : 0);
    this.#tell();
  }

  /** How often the log began to fail: who waits over such a moment has waited in vain. */
  get failures(): number {
    return Atomics.load(this.#slots, FAILURES);
  }

  /** Says that `count` more events are in the log. */
  addWritten(count: number): void {
    Atomics.add(this.#slots, WRITTEN, count);
    this.#tell();
  }

  /** What {@linkcode changed} compares with. */
  get changes(): number {
    return Atomics.load(this.#slots, CHANGES);
  }

  /** Resolves when anything here is not as it was when there were so many changes. */
  async changed(since: number): Promise<void> {
    await Atomics.waitAsync(this.#slots, CHANGES, since, LOOK_MS).value;
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

  #tell(): void {
    Atomics.add(this.#slots, CHANGES, 1);
    Atomics.notify(this.#slots, CHANGES);
  }
}
