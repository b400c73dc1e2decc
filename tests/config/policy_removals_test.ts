import assert from "node:assert/strict";
import { join } from "node:path";
import { recordRemovals, wasRemoved } from "../../src/config/policy_removals.ts";
import { unwrap } from "../../src/core/result.ts";

Deno.test("wasRemoved() knows exactly what was removed, and only since it was in force", async () => {
  const directory = join(await Deno.makeTempDir(), "project");
  try {
    const removed = { file: "dev.cedar", text: "forbid (principal, action, resource);" };
    assert.equal(wasRemoved(directory, { ...removed, sinceMs: 0 }), false);
    unwrap(recordRemovals(directory, [removed], 1_000));
    unwrap(recordRemovals(directory, [{ file: "own.cedar", text: "" }], 2_000));
    assert.equal(wasRemoved(directory, { ...removed, sinceMs: 999 }), true);
    assert.equal(wasRemoved(directory, { ...removed, sinceMs: 1_001 }), false);
    assert.equal(wasRemoved(directory, { ...removed, text: "other", sinceMs: 0 }), false);
    assert.equal(wasRemoved(directory, { ...removed, file: "b.cedar", sinceMs: 0 }), false);
    const { mode } = await Deno.stat(join(directory, "removed-policies.json"));
    assert.equal(mode! & 0o777, 0o600);
    // What cannot be read says that nothing was removed.
    for (const damaged of ["", "[1, null]", '[{"file": 1}]', "{}"]) {
      await Deno.writeTextFile(join(directory, "removed-policies.json"), damaged);
      assert.equal(wasRemoved(directory, { ...removed, sinceMs: 0 }), false, damaged);
    }
  } finally {
    await Deno.remove(join(directory, ".."), { recursive: true });
  }
});
