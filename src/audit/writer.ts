import type { ExecutionEvent } from "../core/event.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { SigningKey } from "../pki/signing_key.ts";
import { AttachedSinks } from "./attached_sinks.ts";
import { AuditJournal } from "./journal.ts";
import { asLogError } from "./log_fault.ts";
import type { AuditSink } from "./sink.ts";

/** Whether the log can be written. While it is `failed`, calls are to be denied. */
export type AuditState = "ok" | "failed";

/** What an {@linkcode AuditWriter} needs. */
export interface AuditWriterOptions {
  /** The log; made with its directory when missing. */
  readonly file: string;
  readonly key: SigningKey;
  /**
   * How many events may wait to be written.
   * @default 8192
   */
  readonly capacity?: number;
  /** Query parameters to redact besides the built-in ones. */
  readonly redactNames?: readonly string[];
  /**
   * Least time between two checkpoints, in milliseconds.
   * @default 5000
   */
  readonly checkpointIntervalMs?: number;
  /**
   * How long to wait for another process that is writing, in milliseconds.
   * @default 5000
   */
  readonly lockTimeoutMs?: number;
  /**
   * Where lines go besides; closed with the writer.
   * @default none
   */
  readonly sinks?: readonly AuditSink[];
}

/** Events signed and written in one go: 128 take about 6 ms, for which the thread is busy. */
const BATCH = 128;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

interface Waiter {
  readonly target: number;
  readonly resolve: (result: Result<void>) => void;
}

/**
 * Appends execution events to the audit log: queued by {@linkcode append},
 * chained, signed and written in batches. What was accepted is written in
 * order, however long the log was out of order in between; it is lost only
 * with the process.
 */
export class AuditWriter {
  readonly #journal: AuditJournal;
  readonly #sinks: AttachedSinks;
  readonly #capacity: number;
  readonly #queue: ExecutionEvent[] = [];
  readonly #stateListeners: ((state: AuditState, error?: FirmaError) => void)[] = [];
  readonly #acknowledgeListeners: ((acknowledged: number) => void)[] = [];
  #waiters: Waiter[] = [];
  #error: FirmaError | undefined;
  #failedSince = 0;
  #refused = 0;
  #acknowledged = 0;
  #closed: Promise<Result<void>> | undefined;
  #working: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;

  private constructor(journal: AuditJournal, sinks: AttachedSinks, capacity: number) {
    this.#journal = journal;
    this.#sinks = sinks;
    this.#capacity = capacity;
  }

  /**
   * Opens the log, sets a torn last line aside, and records the first use of
   * the key. Fails when the log cannot be written now.
   */
  static async open(options: AuditWriterOptions): Promise<Result<AuditWriter>> {
    const sinks = new AttachedSinks(options.sinks ?? []);
    const journal = new AuditJournal({ ...options, onWritten: (lines) => sinks.take(lines) });
    try {
      await journal.write([]);
      await journal.checkpoint();
    } catch (thrown) {
      journal.release();
      return err(asLogError(options.file, thrown));
    }
    return ok(new AuditWriter(journal, sinks, options.capacity ?? 8_192));
  }

  /** Whether the log can be written, as of the last attempt. */
  get state(): AuditState {
    return this.#error === undefined ? "ok" : "failed";
  }

  /** Why the state is `failed`. */
  get error(): FirmaError | undefined {
    return this.#error;
  }

  /** How many of the accepted events are in the file, counted from the opening, in order. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /**
   * Queues an event, which must not change any more. `false`: it is not
   * accepted, because the queue is full, the log cannot be written or the
   * writer is closed; the call it speaks of must not happen. What already
   * happened (an outcome, a change of policy, a finding of the sandbox) is accepted while the log is out
   * of order too, as long as the queue has room.
   */
  append(event: ExecutionEvent): boolean {
    const reports = event.kind === "outcome" || event.kind === "policy" ||
      event.kind === "sandbox";
    if (
      this.#closed !== undefined || this.#queue.length >= this.#capacity ||
      (this.#error !== undefined && !reports)
    ) {
      this.#refused++;
      return false;
    }
    this.#queue.push(event);
    if (this.#queue.length === 1) this.#schedule();
    return true;
  }

  /** Calls `listener` with each change of the state, and why. */
  onChange(listener: (state: AuditState, error?: FirmaError) => void): void {
    this.#stateListeners.push(listener);
  }

  /** Calls `listener` with {@linkcode acknowledged} whenever it rises. */
  onAcknowledged(listener: (acknowledged: number) => void): void {
    this.#acknowledgeListeners.push(listener);
  }

  /**
   * Waits until everything accepted so far is in the file. Fails as soon as an
   * attempt to write fails; the events are kept and retried all the same.
   */
  async flush(): Promise<Result<void>> {
    const target = this.#acknowledged + this.#queue.length;
    if (this.#queue.length === 0) return ok(undefined);
    const written = new Promise<Result<void>>((resolve) => this.#waiters.push({ target, resolve }));
    if (this.#working === undefined) this.#start();
    return await written;
  }

  /**
   * Writes what is left and a checkpoint, and closes the file. When the log
   * cannot be written, the result says how many events are lost.
   */
  close(): Promise<Result<void>> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<Result<void>> {
    let result = await this.flush();
    if (this.#working !== undefined) await this.#working;
    clearTimeout(this.#timer);
    if (result.ok) {
      try {
        await this.#journal.checkpoint();
      } catch (thrown) {
        result = err(asLogError(this.#journal.path, thrown));
      }
    }
    this.#journal.release();
    const closed = await this.#sinks.close();
    if (result.ok) result = closed;
    if (result.ok || this.#queue.length === 0) return result;
    const lost = `${this.#queue.length} events were not written`;
    return err({ ...result.error, message: `${result.error.message}; ${lost}` });
  }

  #schedule(): void {
    // With the log out of order the retry is already planned.
    if (this.#working !== undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#start(), 0);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  async #work(): Promise<void> {
    try {
      do {
        const batch = this.#queue.slice(0, BATCH);
        await this.#journal.write(batch);
        this.#settle(batch.length);
        if (this.#error !== undefined) await this.#recover();
        else if (this.#journal.checkpointDue) await this.#journal.checkpoint();
      } while (this.#queue.length > 0);
      if (this.#closed === undefined) {
        this.#journal.scheduleCheckpoint((error) => this.#fail(error));
      }
    } catch (thrown) {
      this.#fail(asLogError(this.#journal.path, thrown));
    }
  }

  #settle(written: number): void {
    this.#queue.splice(0, written);
    this.#acknowledged += written;
    if (written > 0) {
      for (const listener of this.#acknowledgeListeners) listener(this.#acknowledged);
    }
    const done = this.#waiters.filter(({ target }) => target <= this.#acknowledged);
    this.#waiters = this.#waiters.filter(({ target }) => target > this.#acknowledged);
    for (const { resolve } of done) resolve(ok(undefined));
  }

  /** The log took a batch again; it works when it takes a checkpoint and this story too. */
  async #recover(): Promise<void> {
    await this.#journal.checkpoint(true);
    const seconds = ((performance.now() - this.#failedSince) / 1000).toFixed(1);
    this.#journal.note(
      `${this.#error!.message}; out of order for ${seconds} s, ${this.#refused} events refused`,
    );
    this.#error = undefined;
    this.#refused = 0;
    this.#retryMs = FIRST_RETRY_MS;
    await this.#journal.write([]);
    for (const listener of this.#stateListeners) listener("ok");
  }

  #fail(error: FirmaError): void {
    this.#journal.release();
    const first = this.#error === undefined;
    this.#error = error;
    if (first) this.#failedSince = performance.now();
    for (const { resolve } of this.#waiters.splice(0)) resolve(err(error));
    if (this.#closed === undefined) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#start(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    }
    if (first) { for (const listener of this.#stateListeners) listener("failed", error); }
  }
}
