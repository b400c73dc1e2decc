import assert from "node:assert/strict";
import type { AuditState } from "../../src/audit/writer.ts";
import type { ExecutionEvent } from "../../src/core/event.ts";
import { AuditFeed, type AuditTarget } from "../../src/sidecar/audit_feed.ts";
import { AuditGauge } from "../../src/sidecar/worker/audit_gauge.ts";

/** A log that accepts, acknowledges and fails when told to. */
class FakeLog implements AuditTarget {
  state: AuditState = "ok";
  full = false;
  readonly accepted: string[] = [];
  #change: (state: AuditState) => void = () => {};
  #written: (count: number) => void = () => {};
  append(event: ExecutionEvent): boolean {
    if (this.full || this.state === "failed") return false;
    this.accepted.push(event.event_id);
    return true;
  }
  onChange(listener: (state: AuditState) => void): void {
    this.#change = listener;
  }
  onAcknowledged(listener: (count: number) => void): void {
    this.#written = listener;
  }
  become(state: AuditState): void {
    this.state = state;
    this.#change(state);
  }
  written(count = this.accepted.length): void {
    this.#written(count);
  }
}

function decision(id: string, verdict: "ALLOW" | "DENY" = "ALLOW"): ExecutionEvent {
  return { event_id: id, kind: "decision", decision: verdict } as ExecutionEvent;
}

function rig() {
  const log = new FakeLog();
  const feed = new AuditFeed(log);
  const gauge = new AuditGauge();
  feed.attach(gauge);
  return { log, feed, gauge };
}

Deno.test("take() tells a worker which of its events are in the log", () => {
  const { log, feed, gauge } = rig();
  feed.take(decision("a"), gauge);
  feed.append(decision("of the main thread"));
  feed.take(decision("b"), gauge);
  assert.equal(gauge.waiting(2), 2);
  log.written(1);
  assert.equal(gauge.waiting(2), 1);
  log.written(2);
  assert.equal(gauge.waiting(2), 1);
  log.written(3);
  assert.equal(gauge.waiting(2), 0);
});

Deno.test("attach() passes the state of the log on, also to a worker that starts later", () => {
  const { log, feed, gauge } = rig();
  log.become("failed");
  assert.equal(gauge.failed, true);
  const late = new AuditGauge();
  feed.attach(late);
  assert.equal(late.failed, true);
  feed.detach(gauge);
  log.become("ok");
  assert.equal(late.failed, false);
});

Deno.test("take() keeps the record of a call that had left when the log failed", () => {
  const { log, feed, gauge } = rig();
  log.become("failed");
  feed.take(decision("left"), gauge);
  feed.take(decision("denied", "DENY"), gauge);
  feed.take(decision("left too"), gauge);
  feed.take({ ...decision("observed", "DENY"), enforced: false } as ExecutionEvent, gauge);
  assert.deepEqual(log.accepted, []);
  log.become("ok");
  assert.deepEqual(log.accepted, ["left", "left too", "observed"]);
});

Deno.test("take() lets go of denials while the log is out of order", () => {
  const { log, feed, gauge } = rig();
  log.become("failed");
  feed.take(decision("denied", "DENY"), gauge);
  assert.equal(gauge.waiting(1), 0);
  log.become("ok");
  assert.deepEqual(log.accepted, []);
});

Deno.test("take() keeps the order while the queue of the log is full", () => {
  const { log, feed, gauge } = rig();
  feed.take(decision("a"), gauge);
  log.full = true;
  feed.take(decision("b"), gauge);
  log.full = false;
  feed.take(decision("c"), gauge);
  assert.deepEqual(log.accepted, ["a"]);
  log.written();
  assert.deepEqual(log.accepted, ["a", "b", "c"]);
});
