import assert from "node:assert/strict";
import fc from "fast-check";
import { Board } from "../../../src/monitor/model/board.ts";
import { RawStore } from "../../../src/monitor/model/raw_store.ts";
import { Counts } from "../../../src/monitor/model/counts.ts";
import { Rate } from "../../../src/monitor/model/rate.ts";
import type { ExecutionEvent } from "../../../src/core/event.ts";
import { sampleDecision, sampleOutcome } from "../../audit/sample.ts";
import { boardOf, entriesOf } from "../view/scenes.ts";

const DENY = { decision: "DENY", deny_reason: "PolicyDenied" } as const;

Deno.test("Board counts decisions by what they are, by class and by agent", () => {
  const board = boardOf([
    sampleDecision({ event_id: "aevt_1" }),
    sampleDecision({ event_id: "aevt_2", ...DENY, action_class: "code.write", agent_id: "agt_b" }),
    sampleOutcome({ decision_event_id: "aevt_1", abort_reason: "CONNECTOR_FAILURE" }),
    sampleDecision({ event_id: "aevt_3" }),
  ]);
  assert.deepEqual(board.decisions.sorted(), [
    ["ALLOW", { total: 2, denied: 0 }],
    ["ABORT", { total: 1, denied: 0 }],
    ["DENY", { total: 1, denied: 1 }],
  ]);
  assert.deepEqual(board.classes.sorted(), [
    ["code.read", { total: 2, denied: 0 }],
    ["code.write", { total: 1, denied: 1 }],
  ]);
  assert.deepEqual(board.agents.get("agt_b"), { total: 1, denied: 1 });
  assert.deepEqual(board.rows.map(({ word }) => word), ["ALLOW", "DENY", "ABORT", "ALLOW"]);
});

Deno.test("Board tells how an allowed call ended", () => {
  const board = boardOf([
    sampleDecision({ event_id: "aevt_1" }),
    sampleOutcome({ decision_event_id: "aevt_1", status: 204 }),
  ]);
  assert.equal(board.rows.length, 1);
  assert.equal(board.decisionRow("aevt_1")?.outcome?.status, 204);
});

Deno.test("Board knows sessions from their events", () => {
  const session = {
    ...sampleOutcome(),
    kind: "session",
    phase: "started",
    profile: "generic",
    command: "npm",
    workspace: "/home/me",
  } as unknown as ExecutionEvent;
  const ended = { ...session, phase: "ended" } as ExecutionEvent;
  const board = boardOf([session, sampleDecision(), sampleDecision(DENY)]);
  const known = board.sessions.get(session.session_id)!;
  assert.deepEqual([known.actions, known.denies, known.hasEnded], [2, 1, false]);
  assert.ok(boardOf([session, ended]).sessions.get(session.session_id)!.hasEnded);
});

Deno.test("Board says that lines are damaged or missing, and takes a new file for none of both", () => {
  const at = (...seqs: number[]) =>
    boardOf(seqs.map((seq) => ({ ...sampleDecision(), seq }) as ExecutionEvent)).log;
  assert.equal(at(7, 8, 9).gaps, 0);
  assert.equal(at(7, 9, 10).gaps, 1);
  assert.equal(at(7, 8, 1, 2).gaps, 0);
  const board = new Board();
  board.add({ kind: "damaged", atMs: 0, raw: "garbage" });
  assert.equal(board.log.damaged, 1);
  assert.equal(board.rows[0]!.tone, "bad");
});

Deno.test("Board keeps no more rows, names and sessions than it may", () => {
  const board = new Board(100);
  for (let i = 0; i < 2_000; i++) {
    const ids = { event_id: `aevt_${i}`, agent_id: `agt_${i}`, action_class: `raw.http.X${i}` };
    for (const entry of entriesOf([sampleDecision(ids)])) board.add(entry);
  }
  assert.ok(board.rows.length >= 100 && board.rows.length <= 125, `${board.rows.length}`);
  assert.equal(board.lastN, 2_000);
  assert.equal(board.row(2_000)?.decisionId, "aevt_1999");
  assert.equal(board.row(1), undefined);
  assert.equal(board.decisionRow("aevt_0"), undefined);
  assert.ok(board.agents.size <= 512 && board.classes.size <= 512);
  assert.equal(board.decisions.get("ALLOW")?.total, 2_000);
});

Deno.test("RawStore keeps the latest lines whole, and says when one is gone", () => {
  const store = new RawStore(100);
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(fc.property(fc.array(text, { maxLength: 30 }), (lines) => {
    const places = lines.map((line) => store.put(line));
    let bytes = 0;
    for (const [i, place] of [...places.entries()].reverse()) {
      bytes += place.length;
      assert.equal(store.get(place), bytes <= 100 ? lines[i] : undefined);
    }
  }));
  assert.equal(store.get(store.put("x".repeat(101))), undefined);
});

Deno.test("Counts forgets first what it heard of longest ago", () => {
  const counts = new Counts();
  for (let i = 0; i < 512; i++) counts.add(`${i}`, false);
  counts.add("0", true);
  counts.add("new", false);
  assert.deepEqual(counts.get("0"), { total: 2, denied: 1 });
  assert.equal(counts.get("1"), undefined);
});

Deno.test("Rate counts by the second, forgets, and takes what comes late", () => {
  const rate = new Rate();
  for (const [at, denied] of [[10_100, false], [10_900, true], [12_000, false]] as const) {
    rate.add(at, denied);
  }
  rate.add(11_500, false);
  const series = (now: number, seconds: number) =>
    rate.series(now, seconds).map(({ total, denied }) => [total, denied]);
  assert.deepEqual(series(13_000, 4), [[0, 0], [2, 1], [1, 0], [1, 0]]);
  assert.deepEqual(series(15_000, 2), [[0, 0], [0, 0]]);
  rate.add(1_000_000, false);
  rate.add(10_000, false);
  assert.deepEqual(series(13_000, 3), [[0, 0], [0, 0], [0, 0]]);
  assert.deepEqual(series(1_001_000, 1), [[1, 0]]);
});
