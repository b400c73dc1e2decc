import assert from "node:assert/strict";
import { SpareWorker } from "../../src/sidecar/spare_worker.ts";

const PERMISSIONS: Deno.PermissionOptionsObject = { net: ["a.test"], read: false, env: false };

Deno.test("SpareWorker is taken once", () => {
  const spare = new SpareWorker(PERMISSIONS);
  const worker = spare.take({ ...PERMISSIONS });
  assert.ok(worker);
  assert.equal(spare.take(PERMISSIONS), undefined);
  spare.end(); // which is not its business any more
  worker.terminate();
});

// Attack: a mapping that is edited while a Sidecar starts leaves the worker with other hosts.
Deno.test("SpareWorker is not taken for anything but exactly what it may do", () => {
  for (
    const other of [
      { ...PERMISSIONS, net: ["b.test"] },
      { ...PERMISSIONS, net: [] },
      { ...PERMISSIONS, net: true },
      { ...PERMISSIONS, read: ["/"] },
    ] as const
  ) {
    const spare = new SpareWorker(PERMISSIONS);
    assert.equal(spare.take(other as Deno.PermissionOptionsObject), undefined);
    assert.equal(spare.take(PERMISSIONS), undefined, "it was ended");
  }
});
