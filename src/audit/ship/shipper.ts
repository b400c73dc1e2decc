import { backoffMs } from "../../core/backoff.ts";
import { delay } from "../../core/delay.ts";
import { dirname } from "../../core/path.ts";
import { type Cursor, cursorPath, readCursor, START, writeCursor } from "./cursor.ts";
import type { DeliveryFault, Destination, LogLine, Outcome } from "./destination.ts";
import { endOfLog } from "./log_files.ts";
import { LogReader } from "./log_reader.ts";

/** Options of {@linkcode Shipper}. */
export interface ShipperOptions {
  /** The log that is shipped. */
  readonly logPath: string;
  /** Names the cursor beside the log: `grpc`. */
  readonly sink: string;
  readonly destination: Destination;
  /** Hears when lines cannot be delivered, and when they can again. */
  readonly notify: (level: "info" | "warn" | "error", text: string) => void;
  /** How often the log is looked at for lines of other processes, in milliseconds. @default {1000} */
  readonly pollMs?: number;
  /** Lines that may wait before it is told as an error. @default {Infinity} */
  readonly maxLag?: number;
  /** How long a batch may take, in milliseconds. @default {30000} */
  readonly timeoutMs?: number;
  /** First wait after a failure, in milliseconds. @default {250} */
  readonly minBackoffMs?: number;
  /** Longest wait after a failure, in milliseconds. @default {30000} */
  readonly maxBackoffMs?: number;
}

/** How a sink fares. */
export interface ShippingState {
  readonly sink: string;
  readonly destination: string;
  /**
   * `shipping`: lines go out as they come. `failed`: they do not, see `error`. `elsewhere`: another
   * process of this machine ships this log.
   */
  readonly state: "shipping" | "failed" | "elsewhere";
  /** Of the last line that was delivered. */
  readonly delivered: number;
  /** How many lines wait. */
  readonly waiting: number;
  /** Whether more wait than may. */
  readonly behind: boolean;
  readonly error?: string;
}

/**
 * Takes the lines of a log to one destination: at least once, in order, and on after a crash from
 * what was acknowledged last. The log itself is what waits: nothing is queued in memory, and
 * whatever becomes of the destination, the log and other shippers go on. Of the processes that
 * append to one log, one ships it.
 */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #cursorFile: string;
  readonly #reader: LogReader;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #lock: Deno.FsFile | undefined;
  #shipped: Cursor = START;
  #wake: (() => void) | undefined;
  #woken = false;
  #error: string | undefined;
  #failures = 0;
  #quietUntil = -Infinity;
  #isBehind = false;
  #uncertified: string | undefined;
  #closing = false;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#cursorFile = cursorPath(options.logPath, options.sink);
    this.#reader = new LogReader(options.logPath, START);
    this.#running = this.#run();
  }

  get state(): ShippingState {
    const { sink, destination, maxLag = Infinity } = this.#options;
    const waiting = this.#waiting();
    return {
      sink,
      destination: destination.name,
      state: this.#error !== undefined ? "failed" : this.#lock ? "shipping" : "elsewhere",
      delivered: this.#delivered.seq,
      waiting,
      behind: waiting > maxLag,
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  /** `seq` of the oldest line that has to be delivered still. */
  oldestNeeded(): number {
    return this.#delivered.seq + 1;
  }

  /** Says that there may be new lines. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Delivers what is there, for at most `timeoutMs`, and lets go of everything. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true;
    this.wake();
    const timer = setTimeout(() => this.#ending.abort(), timeoutMs);
    await this.#running;
    clearTimeout(timer);
    this.#reader.close();
    this.#lock?.close();
    this.#lock = undefined;
    await this.#options.destination.close();
  }

  get #delivered(): Cursor {
    return this.#lock ? this.#shipped : readCursor(this.#cursorFile);
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      let fault: DeliveryFault | undefined;
      try {
        if (!this.#own()) {
          if (this.#closing) return;
          await this.#pause();
          continue;
        }
        fault = await this.#ship();
      } catch (cause) {
        fault = { reason: cause instanceof Error ? cause.message : String(cause) };
      }
      if (fault === undefined || signal.aborted || this.#closing) return;
      this.#fail(fault.reason);
      this.#watchLag();
      this.#reader.moveTo(this.#shipped);
      await delay(fault.retryAfterMs ?? backoffMs(this.#failures, this.#options), signal);
    }
  }

  /** Takes the right to ship, where no other process has it. */
  #own(): boolean {
    if (this.#lock !== undefined) return true;
    Deno.mkdirSync(dirname(this.#cursorFile), { recursive: true, mode: 0o700 });
    const name = `${this.#cursorFile}.lock`;
    const lock = Deno.openSync(name, { write: true, create: true, mode: 0o600 });
    if (!lock.tryLockSync(true)) {
      lock.close();
      return false;
    }
    this.#shipped = readCursor(this.#cursorFile);
    this.#reader.moveTo(this.#shipped);
    this.#lock = lock;
    return true;
  }

  /** Delivers until something fails, or until there is nothing more and the end is wanted. */
  async #ship(): Promise<DeliveryFault | undefined> {
    const { destination, logPath } = this.#options;
    while (endOfLog(logPath).seq === 0) {
      if (this.#closing) return undefined;
      this.#woken = false;
      await this.#pause();
    }
    if (destination.resume !== undefined) {
      const last = endOfLog(logPath);
      const resumed = await this.#timed((signal) => destination.resume!(last, signal));
      if (!resumed.ok) return resumed.error;
      const { seq, hash } = resumed.value;
      if (seq !== this.#shipped.seq || hash !== this.#shipped.hash) {
        this.#move({ ...START, seq, hash });
      }
    }
    for (;;) {
      this.#woken = false;
      const found = await this.#reader.next(destination.most);
      if (found.kind === "end") {
        await this.#end();
        if (this.#closing) return undefined;
        await this.#pause();
      } else if (found.kind === "lines") {
        const fault = await this.#deliver(found.lines, found.cursor);
        if (fault !== undefined) return fault;
      } else {
        this.#astray(found);
      }
    }
  }

  async #deliver(
    lines: readonly LogLine[],
    cursor: Cursor,
  ): Promise<DeliveryFault | undefined> {
    const { destination } = this.#options;
    const delivered = await this.#timed((signal) => destination.deliver(lines, signal));
    if (delivered.ok && delivered.value < cursor.seq) {
      return { reason: `it kept no line after ${delivered.value}` };
    }
    if (!delivered.ok && !delivered.error.refused) return delivered.error;
    this.#shipped = cursor;
    writeCursor(this.#cursorFile, cursor);
    this.#watchLag();
    if (!delivered.ok) this.#refused(lines[0]!.seq, cursor.seq, delivered.error);
    else if (this.#error !== undefined) this.#recovered();
    return undefined;
  }

  /** There is nothing more for now. */
  async #end(): Promise<void> {
    const { destination, notify, sink, maxBackoffMs = 30_000 } = this.#options;
    if (this.#error !== undefined) this.#recovered();
    if (destination.caughtUp === undefined || performance.now() < this.#quietUntil) return;
    const told = await this.#timed((signal) => destination.caughtUp!(this.#shipped.seq, signal));
    const reason = told.ok ? undefined : told.error.reason;
    if (reason !== undefined) {
      this.#quietUntil = performance.now() + maxBackoffMs;
      if (reason !== this.#uncertified) {
        notify(
          "warn",
          `The ${destination.name} (sink ${sink}) does not vouch for the log: ${reason}`,
        );
      }
    }
    this.#uncertified = reason;
  }

  #waiting(): number {
    return Math.max(0, endOfLog(this.#options.logPath).seq - this.#delivered.seq);
  }

  /** Tells once that more lines wait than may, and once that it is over. */
  #watchLag(): void {
    const { maxLag, notify, destination, sink } = this.#options;
    if (maxLag === undefined) return;
    const waiting = this.#waiting();
    if (!this.#isBehind && waiting > maxLag) {
      this.#isBehind = true;
      notify(
        "error",
        `${waiting} lines of the audit log wait for the ${destination.name} (sink ${sink}); ` +
          `max_lag is ${maxLag}`,
      );
    } else if (this.#isBehind && waiting <= maxLag / 2) {
      this.#isBehind = false;
      notify("info", `${waiting} lines of the audit log wait for the ${destination.name} now`);
    }
  }

  #move(cursor: Cursor): void {
    this.#shipped = cursor;
    this.#reader.moveTo(cursor);
  }

  /** Goes on with what there is, where the log does not hold what was to come next. */
  #astray(
    found:
      | { readonly kind: "gap"; readonly next: number }
      | { readonly kind: "other log"; readonly reason: string },
  ): void {
    const { notify, destination, sink } = this.#options;
    const { seq } = this.#shipped;
    if (found.kind === "gap") {
      notify(
        "error",
        `The lines ${seq + 1} to ${found.next - 1} of the audit log are gone and were never ` +
          `shipped to the ${destination.name} (sink ${sink})`,
      );
      this.#move({ ...START, seq: found.next - 1 });
      return;
    }
    notify(
      "error",
      `The audit log is not the one that was shipped to the ${destination.name} (sink ${sink}): ` +
        `${found.reason}; all of it is shipped again`,
    );
    this.#move(START);
  }

  #fail(reason: string): void {
    const { notify, destination, sink } = this.#options;
    this.#failures++;
    const isNews = this.#error === undefined;
    this.#error = reason;
    if (!isNews) return;
    notify(
      "warn",
      `Cannot ship the audit log to the ${destination.name} (sink ${sink}): ${reason}; ` +
        "lines wait in the log, and calls go on",
    );
  }

  #recovered(): void {
    const { notify, destination, sink } = this.#options;
    this.#error = undefined;
    this.#failures = 0;
    notify("info", `The audit log is shipped to the ${destination.name} (sink ${sink}) again`);
  }

  #refused(first: number, last: number, { reason }: DeliveryFault): void {
    const { notify, destination, sink } = this.#options;
    notify(
      "error",
      `The ${destination.name} (sink ${sink}) refused lines ${first} to ${last} of the audit ` +
        `log, or some of them, for good: ${reason}`,
    );
  }

  /** Waits until there may be more to do. */
  async #pause(): Promise<void> {
    if (this.#woken || this.#closing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, this.#options.pollMs ?? 1_000);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** What `work` gives, or that it took too long: a destination may not hear of its signal. */
  async #timed<T>(
    work: (signal: AbortSignal) => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const over = new AbortController();
    const { promise: late, resolve } = Promise.withResolvers<Outcome<T>>();
    const abort = () => {
      resolve({ ok: false, error: { reason: "it did not answer in time" } });
      over.abort();
    };
    const timer = setTimeout(abort, this.#options.timeoutMs ?? 30_000);
    this.#ending.signal.addEventListener("abort", abort, { once: true });
    if (this.#ending.signal.aborted) abort();
    try {
      const result = work(over.signal);
      result.catch(() => {});
      return await Promise.race([result, late]);
    } finally {
      clearTimeout(timer);
      this.#ending.signal.removeEventListener("abort", abort);
    }
  }
}
