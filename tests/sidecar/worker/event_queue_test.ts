import assert from "node:assert/strict";
import type { ExecutionEvent } from "../../../src/core/event.ts";
import { AuditGauge } from "../../../src/sidecar/worker/audit_gauge.ts";
import { EventQueue } from "../../../src/sidecar/worker/event_queue.ts";
import { eventually } from "../../fixtures/deadline.ts";

function event(id: string): ExecutionEvent {
  return { event_id: id, kind: "outcome" } as ExecutionEvent;
}

function rig(capacity = 3) {
  const batches: string[][] = [];
  const gauge = new AuditGauge();
  const port = {
    postMessage: (batch: readonly ExecutionEvent[]) =>
      void batches.push(batch.map(({ event_id }) => event_id)),
  };
  return { batches, gauge, queue: new EventQueue(port, gauge, capacity) };
}

Deno.test("push() hands over at once what a call waits for, with everything before it", () => {
  const { batches, queue } = rig();
  queue.push(event("a"), "soon");
  queue.push(event("b"), "now");
  assert.deepEqual(batches, [["a", "b"]]);
});

Deno.test("push() gathers what nobody waits for", async () => {
  const { batches, queue } = rig();
  queue.push(event("a"), "soon");
  queue.push(event("b"), "soon");
  assert.deepEqual(batches, []);
  await eventually("the batch", () => batches.length > 0 || undefined);
  assert.deepEqual(batches, [["a", "b"]]);
});

Deno.test("accepts() stops at capacity and goes on as the log catches up", () => {
  const { gauge, queue } = rig(2);
  queue.push(event("a"), "now");
  assert.equal(queue.accepts(), true);
  queue.push(event("b"), "now");
  assert.equal(queue.accepts(), false);
  gauge.addWritten(1);
  assert.equal(queue.accepts(), true);
});

Deno.test("accepts() says no from the moment that the log fails", () => {
  const { gauge, queue } = rig();
  // Another thread writes through its own view of the same memory.
  const remote = new AuditGauge(gauge.buffer);
  remote.failed = true;
  assert.equal(queue.accepts(), false);
  remote.failed = false;
  assert.equal(queue.accepts(), true);
});

Deno.test("AuditGauge counts across the wrap of 32 bits", () => {
  const gauge = new AuditGauge();
  gauge.addWritten(0x7fffffff);
  assert.equal(gauge.waiting(0x7fffffff), 0);
  gauge.addWritten(5);
  assert.equal(gauge.waiting((0x7fffffff + 7) | 0), 2);
});

Deno.test("lose() is counted until somebody asks", () => {
  const { gauge, queue } = rig();
  queue.lose();
  queue.lose();
  assert.equal(gauge.takeLost(), 2);
  assert.equal(gauge.takeLost(), 0);
});
