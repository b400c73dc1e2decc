/** What the gate waits for may never come: a program that is executed for ever must not end the gate. */
import assert from "node:assert/strict";
import { Alarm } from "../../../../src/sandbox/init/gate/alarm.ts";
import { ERRNO, errno, libc } from "../../../../src/sandbox/init/gate/libc.ts";

const NOTHING = new Uint8Array(0);
const HALF_A_SECOND = new Uint8Array(16);
new DataView(HALF_A_SECOND.buffer).setBigInt64(8, 500_000_000n, true);

Deno.test("Alarm ends a call that waits while it is set, and no other", () => {
  const alarm = Alarm.every(5)!;
  alarm.set();
  for (let time = 0; time < 3; time++) {
    assert.equal(libc.ppoll(NOTHING, 0n, null, null), -1);
    assert.equal(errno(), ERRNO.EINTR);
  }
  alarm.clear();
  assert.equal(libc.ppoll(NOTHING, 0n, HALF_A_SECOND, null), 0);
});
