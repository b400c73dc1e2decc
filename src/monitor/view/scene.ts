import type { ExplainedDecision } from "../explain/explain.ts";
import type { Board } from "../model/board.ts";
import type { Standing } from "../standing/standing.ts";
import type { Ui } from "./ui.ts";

/** Everything that one picture of a view depends on. */
export interface Scene {
  readonly board: Board;
  readonly standing: Standing;
  readonly ui: Ui;
  readonly nowMs: number;
  /** Of the selected row, where it is a decision. */
  readonly explained: ExplainedDecision | undefined;
  /** The home directory, which is shown as `~`. */
  readonly home: string;
  /** What of the logs is shown at all; `""` for everything. */
  readonly scope: string;
  /** What became of the last decision about something that waits. */
  readonly said?: string;
}

/** Columns and rows of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}
