import assert from "node:assert/strict";
import type { ToWorker } from "../../src/sidecar/worker/messages.ts";
import { WorkerHandle } from "../../src/sidecar/worker_handle.ts";
import { eventually } from "../fixtures/deadline.ts";

function rig(onMessage: (seen: readonly string[]) => void = () => {}) {
  const seen: string[] = [];
  const deaths: string[] = [];
  const handle = new WorkerHandle({
    permissions: { net: false, read: false, write: false },
    silenceLimitMs: 500,
    module: new URL("./worker/broken_worker.ts", import.meta.url),
  }, {
    message: () => onMessage(seen),
    event: ({ event_id }) => seen.push(event_id),
    died: (reason) => deaths.push(reason),
  });
  return { seen, deaths, handle };
}

for (const way of ["throw", "reject", "close", "hang"]) {
  Deno.test(`WorkerHandle notices a worker that ends by "${way}", with what it had said`, async () => {
    const { seen, deaths, handle } = rig();
    handle.post({ kind: "session-close", sessionId: way });
    await eventually("the death", () => deaths.length > 0 || undefined);
    assert.deepEqual(seen, ["1", "2", "3"]);
    assert.equal(deaths.length, 1);
    handle.end();
    assert.equal(deaths.length, 1);
  });
}

Deno.test("WorkerHandle delivers what the worker recorded before what it says next", async () => {
  const seenWithMessage: string[][] = [];
  const { seen, deaths, handle } = rig((seen) => seenWithMessage.push([...seen]));
  handle.post({ kind: "session-close", sessionId: "go on" });
  await eventually("the message", () => seenWithMessage.length > 0 || undefined);
  assert.deepEqual(seenWithMessage, [["1", "2", "3"]]);
  handle.end();
  assert.deepEqual(seen, ["1", "2", "3"]);
  assert.deepEqual(deaths, []);
});

Deno.test("WorkerHandle loses nothing of what a worker does while it is being ended", async () => {
  for (let round = 0; round < 20; round++) {
    const { seen, handle } = rig();
    const answers = new Int32Array(new SharedArrayBuffer(4));
    const nothing = { config: {}, mapping: [], cedar: {} } as unknown as Omit<
      Extract<ToWorker, { kind: "start" }>,
      "kind" | "gauge"
    >;
    handle.post({ ...nothing, kind: "start", gauge: answers.buffer });
    handle.post({ kind: "session-close", sessionId: "record" });
    await eventually("records under way", () => Atomics.load(answers, 0) > round * 50 || undefined);
    handle.end();
    // It goes on for as long as it can do without a record.
    let before = -1;
    await eventually("the worker to stop", () => {
      const [earlier, now] = [before, Atomics.load(answers, 0)];
      before = now;
      return earlier === now || undefined;
    });
    assert.ok(seen.length >= 3 + Atomics.load(answers, 0), `round ${round}`);
  }
});
