import assert from "node:assert/strict";
import { logTail } from "../../src/daemon/log_tail.ts";

Deno.test("logTail() gives the last lines of a file, however long it is", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "a\n\nb\nc\n");
    assert.deepEqual(logTail(file, 2), ["b", "c"]);
    await Deno.writeTextFile(file, `${"x".repeat(100_000)}\nlast\n`);
    assert.equal(logTail(file).at(-1), "last");
    assert.ok(logTail(file).join("").length <= 8192);
    await Deno.writeTextFile(file, "");
    assert.deepEqual(logTail(file), []);
  } finally {
    await Deno.remove(file);
  }
  assert.deepEqual(logTail(file), []);
});
