import assert from "node:assert/strict";
import type { ExecutionEvent } from "../../../src/core/event.ts";
import { AuditGauge } from "../../../src/sidecar/worker/audit_gauge.ts";
import { EventRing } from "../../../src/sidecar/worker/event_ring.ts";
import { EventQueue } from "../../../src/sidecar/worker/event_queue.ts";
import { eventually } from "../../fixtures/deadline.ts";

function event(id: string): ExecutionEvent {
  return { event_id: id, kind: "outcome" } as ExecutionEvent;
}

function rig(capacity = 3, bytes = 262_144, isDurable = false) {
  const gauge = new AuditGauge();
  const ring = new EventRing(bytes);
  let calls = 0;
  const queue = new EventQueue(ring, gauge, capacity, () => calls++, isDurable);
  const read = (): ExecutionEvent[] => {
    const events: ExecutionEvent[] = [];
    for (let text = ring.read(); text !== undefined; text = ring.read()) {
      events.push(JSON.parse(text));
    }
    return events;
  };
  const ids = () => read().map(({ event_id }) => event_id);
  return { gauge, ring, queue, read, ids, calls: () => calls };
}

Deno.test("push() calls the reader at once for what a call waits for", () => {
  const { ids, queue, ring, calls } = rig();
  queue.push(event("a"), "soon");
  assert.equal(calls(), 0);
  queue.push(event("b"), "now");
  assert.equal(calls(), 1);
  assert.deepEqual(ids(), ["a", "b"]);
  queue.push(event("c"), "now");
  assert.equal(calls(), 1, "the reader was called and has not rested");
  ring.rest();
  queue.push(event("d"), "now");
  assert.equal(calls(), 2);
});

Deno.test("push() calls the reader soon for what nobody waits for", async () => {
  const { ids, queue, calls } = rig();
  queue.push(event("a"), "soon");
  queue.push(event("b"), "soon");
  await eventually("the call", () => calls() > 0 || undefined);
  assert.deepEqual(ids(), ["a", "b"]);
});

Deno.test("push() keeps outcomes for which the ring has no room, and lets no call out before", async () => {
  const { ids, queue, ring } = rig(10_000, 131_072);
  assert.ok(queue.accepts());
  const told: string[] = [];
  for (let i = 0; ring.hasRoom(1_000); i++) {
    queue.push({ ...event(String(i)), detail: "x".repeat(900) } as ExecutionEvent, "soon");
    told.push(String(i));
  }
  queue.push({ ...event("late"), detail: "x".repeat(5_000) } as ExecutionEvent, "soon");
  told.push("late");
  assert.equal(queue.accepts(), false);
  assert.throws(() => queue.push({ ...event("call"), kind: "decision" } as ExecutionEvent, "now"));
  const seen = ids();
  assert.equal(seen.includes("late"), false);
  await eventually("the backlog", () => {
    seen.push(...ids());
    return seen.includes("late") || undefined;
  });
  assert.deepEqual(seen, told);
  assert.ok(queue.accepts());
});

Deno.test("push() leaves the envelope out of a decision that is too long", () => {
  const { read, queue } = rig(10, 65_536);
  const decision = { ...event("a"), kind: "decision", detail: "why" } as ExecutionEvent;
  queue.push({ ...decision, envelope: { text: "x".repeat(40_000) } } as never, "now");
  const [recorded] = read();
  assert.ok(recorded?.kind === "decision");
  assert.equal(recorded.envelope, undefined);
  assert.match(recorded.detail, /^why; the envelope is left out/);
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

Deno.test("relief() slows calls down while the log lags, and no longer", async () => {
  const { gauge, queue } = rig(4);
  queue.push(event("a"), "now");
  assert.equal(queue.relief(), undefined);
  queue.push(event("b"), "now");
  const relief = queue.relief();
  assert.ok(relief);
  assert.equal(queue.relief(), relief, "all calls wait for the same");
  gauge.addWritten(1);
  await relief;
  assert.equal(queue.relief(), undefined);
});

Deno.test("relief() lets calls go on to their denial when the log does not catch up or fails", async () => {
  const { gauge, queue } = rig(1);
  queue.push(event("a"), "now");
  await queue.relief();
  assert.equal(queue.accepts(), false);
  const relief = queue.relief();
  gauge.failed = true;
  await relief;
  assert.equal(queue.relief(), undefined);
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

Deno.test("recorded() has nothing to wait for where the log need not be durable", () => {
  const { queue } = rig();
  queue.push(event("a"), "now");
  assert.equal(queue.recorded(), undefined);
});

Deno.test("recorded() waits for the event that was pushed last, and for none after it", async () => {
  const { gauge, queue } = rig(9, 262_144, true);
  const answers: string[] = [];
  const wait = (name: string) => {
    queue.push(event(name), "now");
    queue.recorded()!.then((isRecorded) => answers.push(`${name} ${isRecorded}`));
  };
  for (const name of ["a", "b", "c"]) wait(name);
  await Promise.resolve();
  assert.deepEqual(answers, []);
  gauge.addWritten(2);
  await eventually("the first two", () => answers.length >= 2 || undefined);
  assert.deepEqual(answers, ["a true", "b true"]);
  wait("d");
  gauge.addWritten(2);
  await eventually("the others", () => answers.length >= 4 || undefined);
  assert.deepEqual(answers.slice(2), ["c true", "d true"]);
});

/** What is waited for; by itself, waiting for shared memory keeps no process going. */
async function settled(waiting: Promise<boolean> | undefined): Promise<boolean> {
  let answer: { readonly value: boolean } | undefined;
  waiting!.then((value) => answer = { value });
  return (await eventually("an answer", () => answer)).value;
}

Deno.test("recorded() is over at once when the log fails, also where it recovers before anybody looks", async () => {
  const { gauge, queue } = rig(9, 262_144, true);
  queue.push(event("a"), "now");
  const waiting = queue.recorded();
  gauge.failed = true;
  assert.equal(await settled(waiting), false);
  queue.push(event("b"), "now");
  assert.equal(await settled(queue.recorded()), false, "while it fails");
  gauge.failed = false;
  queue.push(event("c"), "now");
  const unnoticed = queue.recorded();
  gauge.failed = true;
  gauge.addWritten(3); // denials that were counted and are nowhere
  gauge.failed = false;
  assert.equal(await settled(unnoticed), false);
  queue.push(event("d"), "now");
  const later = queue.recorded();
  gauge.addWritten(1);
  assert.equal(await settled(later), true);
});
