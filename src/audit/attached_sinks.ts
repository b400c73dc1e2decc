import { err, ok, type Result } from "../core/result.ts";
import type { AuditSink, LogFilesChange, WrittenLines } from "./sink.ts";

/** How long sinks may take to finish when the log is closed, in milliseconds. */
const CLOSE_MS = 2_000;

/** The sinks of a log as one, in which no fault of one reaches the others or the log. */
export class AttachedSinks {
  readonly #sinks: readonly AuditSink[];
  readonly #closeMs: number;

  constructor(sinks: readonly AuditSink[], closeMs = CLOSE_MS) {
    this.#sinks = sinks;
    this.#closeMs = closeMs;
  }

  /** `seq` of the oldest line that a sink still needs from the files; `Infinity` for none. */
  oldestNeeded(): number {
    let oldest = Infinity;
    for (const sink of this.#sinks) {
      // What a broken sink needs is not known, so that nothing may go.
      oldest = Math.min(oldest, this.#ask(() => sink.oldestNeeded()) ?? 0);
    }
    return oldest;
  }

  take(lines: WrittenLines): void {
    for (const sink of this.#sinks) this.#ask(() => sink.take(lines));
  }

  filesChanged(change: LogFilesChange): void {
    for (const sink of this.#sinks) this.#ask(() => sink.filesChanged(change));
  }

  /** Closes all of them at once, and waits for none for ever; the first that failed is told. */
  async close(): Promise<Result<void>> {
    const closed = await Promise.all(this.#sinks.map((sink) => closeInTime(sink, this.#closeMs)));
    return closed.find((result) => !result.ok) ?? ok(undefined);
  }

  #ask<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch {
      return undefined; // the log itself does not depend on it
    }
  }
}

/** A sink gets the time it was promised twice, and is then left behind. */
async function closeInTime(sink: AuditSink, closeMs: number): Promise<Result<void>> {
  const tooLong = Promise.withResolvers<Result<void>>();
  const failed = (state: string) =>
    err({ code: "SINK_NOT_CLOSED", message: `Cannot close the sink ${sink.name}: ${state}` });
  const timer = setTimeout(() => tooLong.resolve(failed("it does not end")), 2 * closeMs);
  try {
    return await Promise.race([sink.close(closeMs), tooLong.promise]);
  } catch (cause) {
    return failed(cause instanceof Error ? cause.message : String(cause));
  } finally {
    clearTimeout(timer);
  }
}
