import type { Result } from "../core/result.ts";

/** Lines of the log that were written in one piece. */
export interface WrittenLines {
  /** `seq` of the first of them. */
  readonly first: number;
  /** `seq` of the last of them. */
  readonly last: number;
  /** Each as it stands in the log, with its newline; nobody changes them any more. */
  readonly bytes: Uint8Array;
}

/** What became of the files that a log consists of. */
export type LogFilesChange =
  /** `file` takes no more lines. It holds those from `first` to `last`; the log went on in a new one. */
  | {
    readonly kind: "closed";
    readonly file: string;
    readonly first: number;
    readonly last: number;
  }
  /** What was in `file`, a closed one, is in `compressed` now, and `file` is gone. */
  | { readonly kind: "compressed"; readonly file: string; readonly compressed: string }
  /** Retention removed `file`, a closed one. */
  | {
    readonly kind: "dropped";
    readonly file: string;
    readonly first: number;
    readonly last: number;
  };

/**
 * A place that lines of the log go to besides the log itself. Sinks decide about no call: the log's
 * own file alone does, whatever becomes of them. None waits for another, and the log for none.
 *
 * A sink hears of the lines that this process writes. Other processes append to the same log: who
 * needs every line takes these calls as a hint, and reads the files up to where they end.
 */
export interface AuditSink {
  /** For the operator, such as `file "/var/log/firma.jsonl"`. */
  readonly name: string;
  /**
   * `seq` of the oldest line that the sink still has to read from the log's files, which retention
   * therefore keeps; `Infinity` for none. Asked before each file that is dropped.
   */
  oldestNeeded(): number;
  /**
   * Hears of lines that are in the log now: once, in order, after they were written and, where
   * the log is durable, are on the disk. Returns at once: what takes time is done later, in
   * memory that is bounded. Lines are not offered again.
   */
  take(lines: WrittenLines): void;
  /** Hears of closed files that this process made, compressed or dropped. Returns at once. */
  filesChanged(change: LogFilesChange): void;
  /** Finishes what is under way, for at most `timeoutMs`, and lets go of everything. */
  close(timeoutMs: number): Promise<Result<void>>;
}
