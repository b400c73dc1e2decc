import { after } from "../core/after.ts";
import type { ExecutionEvent } from "../core/event.ts";
import { basename } from "../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { AttachedSinks } from "./attached_sinks.ts";
import type { Packing } from "./closed_file.ts";
import { Housekeeping } from "./housekeeping.ts";
import { AuditJournal, type JournalOptions } from "./journal.ts";
import { asLogError } from "./log_fault.ts";
import type { RetentionLimits } from "./retention.ts";
import type { RotationLimits } from "./rotate_log.ts";
import type { AuditSink, WrittenLines } from "./sink.ts";

/** Whether the log can be written. While it is `failed`, calls are to be denied. */
export type AuditState = "ok" | "failed";

/** What an {@linkcode AuditWriter} needs. */
export interface AuditWriterOptions extends Pick<JournalOptions, "key" | "certificate"> {
  /** The log; made with its directory when missing. */
  readonly file: string;
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
  /**
   * `queued`: an event is acknowledged when it was written. `durable`: when it is on the disk.
   * @default "queued"
   */
  readonly durability?: "queued" | "durable";
  /**
   * When to begin a new file.
   * @default never
   */
  readonly rotation?: RotationLimits;
  /**
   * How closed files are kept.
   * @default "plain"
   */
  readonly packing?: Packing;
  /**
   * Which closed files are kept.
   * @default all
   */
  readonly retention?: RetentionLimits;
  /**
   * Hears what cannot be done with closed files; events are written all the same.
   * @default nobody
   */
  readonly onTrouble?: (error: FirmaError) => void;
}

/** Events signed and written in one go: 128 take about 6 ms, for which the thread is busy. */
const BATCH = 128;
/** Events that at most share one wait for the disk. */
const GROUP = 8 * BATCH;
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
  readonly #housekeeping: Housekeeping;
  readonly #isDurable: boolean;
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
  /** Calls off the next attempt to write. */
  #callOff: (() => void) | undefined;
  #retryMs = FIRST_RETRY_MS;

  /** How many events at the head of the queue are written and not confirmed yet. */
  #inFile = 0;
  /** Lines that wait for the disk before sinks hear of them. */
  #unsynced: WrittenLines[] = [];

  private constructor(options: AuditWriterOptions) {
    const sinks = this.#sinks = new AttachedSinks(options.sinks ?? []);
    const onTrouble = options.onTrouble ?? (() => {});
    this.#isDurable = options.durability === "durable";
    this.#capacity = options.capacity ?? 8_192;
    this.#housekeeping = new Housekeeping({
      log: options.file,
      packing: options.packing ?? "plain",
      retention: options.retention ?? {},
      sinks,
      onTrouble,
    });
    this.#journal = new AuditJournal({
      ...options,
      onTrouble,
      onWritten: (lines) => this.#isDurable ? this.#unsynced.push(lines) : sinks.take(lines),
      onClosed: ({ path, first, last }) => {
        this.#housekeeping.hurry();
        sinks.filesChanged({ kind: "closed", file: path, first, last });
      },
    });
  }

  /**
   * Opens the log, sets a torn last line aside, and records the first use of
   * the key. Fails when the log cannot be written now.
   */
  static async open(options: AuditWriterOptions): Promise<Result<AuditWriter>> {
    const writer = new AuditWriter(options);
    const journal = writer.#journal;
    try {
      await journal.write([]);
      await writer.#sync();
      await journal.checkpoint();
      await writer.#keepHouse();
    } catch (thrown) {
      journal.release();
      await writer.#housekeeping.stop();
      await writer.#sinks.close();
      return err(asLogError(options.file, thrown));
    }
    return ok(writer);
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
      event.kind === "config" ||
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
    this.#callOff?.();
    await this.#housekeeping.stop();
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
    if (this.#working !== undefined || this.#callOff !== undefined) return;
    this.#callOff = after(0, () => this.#start());
  }

  #start(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  async #work(): Promise<void> {
    try {
      do {
        this.#settle(await this.#writeGroup());
        if (this.#error !== undefined) await this.#recover();
        else if (this.#journal.checkpointDue) await this.#journal.checkpoint();
        if (this.#housekeeping.isDue) await this.#keepHouse();
      } while (this.#queue.length > 0);
      if (this.#closed === undefined) {
        this.#journal.scheduleCheckpoint((error) => this.#fail(error));
      }
    } catch (thrown) {
      this.#fail(asLogError(this.#journal.path, thrown));
    }
  }

  /** Writes what waits; returns how many events of it are as safe as they have to be. */
  async #writeGroup(): Promise<number> {
    do {
      const batch = this.#queue.slice(this.#inFile, this.#inFile + BATCH);
      await this.#journal.write(batch);
      this.#inFile += batch.length;
    } while (this.#isDurable && this.#inFile < Math.min(GROUP, this.#queue.length));
    const written = this.#inFile;
    // Where the disk does not confirm them, they are written again: rather twice than not at all.
    this.#inFile = 0;
    await this.#sync();
    return written;
  }

  async #sync(): Promise<void> {
    if (!this.#isDurable) return;
    await this.#journal.sync();
    for (const lines of this.#unsynced.splice(0)) this.#sinks.take(lines);
  }

  async #keepHouse(): Promise<void> {
    await this.#housekeeping.look(async ({ files, reason }) => {
      const names = files.map(({ path }) => basename(path)).join(", ");
      this.#journal.noteDropped(files[0]!.first, files.at(-1)!.last, `${reason}: ${names}`);
      await this.#journal.write([]);
      await this.#journal.sync();
    });
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
      this.#callOff?.();
      this.#callOff = after(this.#retryMs, () => this.#start());
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    }
    if (first) { for (const listener of this.#stateListeners) listener("failed", error); }
  }
}
