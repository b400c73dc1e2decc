import assert from "node:assert/strict";
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
