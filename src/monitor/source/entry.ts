import type { DecisionEvent, ExecutionEvent } from "../../core/event.ts";

/** Whose log a line is from. */
export type ComponentSource = "sidecar" | "authority" | "supervisor";

/** One line of the logs that a monitor reads. */
export type Entry = EventEntry | DamagedEntry | ComponentEntry;

interface BaseEntry {
  /** Milliseconds since the epoch; never falls within one log. */
  readonly atMs: number;
  /** The line as it stands in the file, without its newline. */
  readonly raw: string;
}

/** A line of the audit log. */
export interface EventEntry extends BaseEntry {
  readonly kind: "event";
  readonly event: ExecutionEvent;
  /** What an outcome is the outcome of, where that is known. */
  readonly decided: DecisionEvent | undefined;
}

/** A line of the audit log that is none of firma's. */
export interface DamagedEntry extends BaseEntry {
  readonly kind: "damaged";
}

/** A line that a Sidecar, an Authority or the supervisor wrote for people. */
export interface ComponentEntry extends BaseEntry {
  readonly kind: "component";
  readonly source: ComponentSource;
  /** The sandbox of a run of its own; `""` for a daemon. */
  readonly sandboxId: string;
  /** What the line says after its time. */
  readonly text: string;
}
