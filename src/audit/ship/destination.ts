import type { Result } from "../../core/result.ts";

/** Where a log stands: the last of its lines, or one that somebody has. */
export interface LogPosition {
  /** 0 before the first line. */
  readonly seq: number;
  /** SHA-256 of the line without its newline, hex; `""` where it is not known or there is none. */
  readonly hash: string;
}

/** A line as it stands in the log, without its newline. */
export interface LogLine {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Why lines could not be delivered. */
export interface DeliveryFault {
  /** As the end of a sentence: `it answered 503`. */
  readonly reason: string;
  /** How long the destination wants to be left alone, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Lines that will never be taken, whatever happens; those of the batch are passed over. */
  readonly refused?: true;
}

/** What became of something that was asked of a destination. */
export type Outcome<T> = Result<T, DeliveryFault>;

/** Somewhere that lines of the log are sent to. */
export interface Destination {
  /** For the operator: `Authority at "https://…"`. */
  readonly name: string;
  /** Most lines and bytes of a batch; one line may be longer. */
  readonly most: { readonly lines: number; readonly bytes: number };
  /**
   * The last line that the destination has, asked before the first batch and after each failure;
   * without this, the cursor says where to go on. `last` is the end of the log.
   */
  resume?(last: LogPosition, signal: AbortSignal): Promise<Outcome<LogPosition>>;
  /** Sends lines that follow one another; gives the `seq` up to which everything is kept there. */
  deliver(lines: readonly LogLine[], signal: AbortSignal): Promise<Outcome<number>>;
  /**
   * Hears, again and again, that everything up to `seq` is delivered and there is nothing more for
   * now. A fault is told, and holds nothing up.
   */
  caughtUp?(seq: number, signal: AbortSignal): Promise<Outcome<void>>;
  close(): void | Promise<void>;
}
