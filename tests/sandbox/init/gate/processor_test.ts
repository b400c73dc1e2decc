import assert from "node:assert/strict";
import { Processor } from "../../../../src/sandbox/init/gate/processor.ts";

/** Where the kernel lets this thread run. */
function allowed(): string {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)![1]!;
}

Deno.test("Processor keeps a thread on one processor, and lets it go to all it had", () => {
  const before = allowed();
  const processor = Processor.ofThread();
  assert.ok(processor !== undefined);
  for (let time = 0; time < 2; time++) {
    processor.stay();
    assert.match(allowed(), /^\d+$/);
    processor.leave();
    assert.equal(allowed(), before);
  }
});
