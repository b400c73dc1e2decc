import { err } from "../../../src/core/result.ts";
import type { ExecutionEvent } from "../../../src/core/event.ts";
import { explainDecision } from "../../../src/monitor/explain/explain.ts";
import type { Watched } from "../../../src/monitor/live.ts";
import { parseEvent } from "../../../src/audit/parse_event.ts";
import type { Standing } from "../../../src/monitor/standing/standing.ts";
import { HOME, NOW, STANDING, storyEvents, TEXTS } from "../storyboard.ts";
import { boardOf, entriesOf } from "../view/scenes.ts";

/** Something watched whose changes a test makes. */
export interface TestWatched extends Watched {
  add(...events: readonly ExecutionEvent[]): void;
  /** What was decided about what waits. */
  readonly ruled: readonly string[];
}

/** What is watched in the pictures; `events` instead of the story where they are given. */
export function storyWatched(
  events: readonly ExecutionEvent[] = storyEvents(),
  standing: Standing = STANDING,
): TestWatched {
  const listeners = new Set<() => void>();
  const board = boardOf(events);
  const ruled: string[] = [];
  return {
    board,
    standing,
    explainer: {
      explain(row, board) {
        const decided = board.decisionRow(row.decisionId);
        const event = decided && parseEvent(board.lineOf(decided)!);
        if (event?.kind !== "decision") return undefined;
        return explainDecision(event, decided?.outcome, TEXTS);
      },
      refresh: () => Promise.resolve(false),
      knownPolicies: () => [TEXTS],
    },
    options: { scope: "", directory: `${HOME}/src/shop`, env: { HOME } },
    rule(id, verb, via) {
      ruled.push(`${verb} ${id} ${via}`);
      return Promise.resolve(err({ code: "NO_APPROVAL", message: `Cannot ${verb} "${id}"` }));
    },
    ruled,
    now: () => NOW,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add(...more) {
      for (const entry of entriesOf(more)) board.add(entry);
      for (const listener of listeners) listener();
    },
  };
}
