import { explainDecision } from "../../../src/monitor/explain/explain.ts";
import { Board } from "../../../src/monitor/model/board.ts";
import { parseEvent } from "../../../src/audit/parse_event.ts";
import type { DecisionEvent, ExecutionEvent } from "../../../src/core/event.ts";
import type { Scene } from "../../../src/monitor/view/scene.ts";
import { FIRST_UI, selectedIndex, type Ui, visibleRows } from "../../../src/monitor/view/ui.ts";
import type { Entry } from "../../../src/monitor/source/entry.ts";
import { HOME, NOW, STANDING, storyEvents, TEXTS } from "../storyboard.ts";

/** Entries as a feed makes them of events. */
export function entriesOf(events: readonly ExecutionEvent[]): Entry[] {
  const decisions = new Map<string, DecisionEvent>();
  return events.map((event) => {
    if (event.kind === "decision") decisions.set(event.event_id, event);
    return {
      kind: "event",
      atMs: Date.parse(event.timestamp),
      raw: JSON.stringify(event),
      event,
      decided: event.kind === "outcome" ? decisions.get(event.decision_event_id) : undefined,
    };
  });
}

/** A board that was told `events`. */
export function boardOf(events: readonly ExecutionEvent[]): Board {
  const board = new Board();
  for (const entry of entriesOf(events)) board.add(entry);
  return board;
}

/** The scene of the story, seen so. */
export function storyScene(ui: Partial<Ui> = {}, changes: Partial<Scene> = {}): Scene {
  const board = changes.board ?? boardOf(storyEvents());
  const seen = { ...FIRST_UI, ...ui };
  const rows = visibleRows(board, seen);
  const row = rows[selectedIndex(rows, seen)];
  const decided = row && board.decisionRow(row.decisionId);
  const event = decided && parseEvent(board.lineOf(decided)!);
  return {
    board,
    standing: STANDING,
    ui: seen,
    nowMs: NOW,
    explained: event?.kind === "decision"
      ? explainDecision(event, decided?.outcome, TEXTS)
      : undefined,
    home: HOME,
    scope: "",
    ...changes,
  };
}
