import assert from "node:assert/strict";
import {
  type Refusal,
  type RefusalReport,
  RefusalTally,
} from "../../../../src/sandbox/init/refusals/tally.ts";

function tally() {
  const told: RefusalReport[] = [];
  const clock = { now: 1_000_000 };
  return { told, clock, tally: new RefusalTally((report) => told.push(report), () => clock.now) };
}

const refusal = (port: number, executable = "/usr/bin/nc"): Refusal => ({
  ...{ protocol: "tcp", address: "192.0.2.1", port, pid: port, executable },
});

Deno.test("RefusalTally tells what is new at once, and counts repeats", () => {
  const { told, tally: refusals } = tally();
  for (let i = 0; i < 1000; i++) refusals.add({ ...refusal(5432), pid: i });
  assert.deepEqual(told, [{ refusal: { ...refusal(5432), pid: 0 }, count: 1 }]);
  refusals.add(refusal(5432, "/usr/bin/psql"));
  assert.equal(told.length, 2, "another program is another matter");
  refusals.flush();
  assert.deepEqual(told.slice(2).map(({ count }) => count), [999]);
  refusals.flush();
  assert.equal(told.length, 3);
});

Deno.test("RefusalTally tells only so much of an agent that tries everything, and counts all", () => {
  const { told, tally: refusals, clock } = tally();
  const total = () => told.reduce((sum, { count }) => sum + count, 0);
  for (let port = 1; port <= 60_000; port++) refusals.add(refusal(port));
  assert.equal(told.length, 20);
  refusals.flush();
  assert.equal(told.length, 21);
  assert.deepEqual(told.at(-1), { count: 59_980 });
  assert.equal(total(), 60_000);
  for (let second = 1; second <= 600; second++) {
    clock.now += 1000;
    for (let port = 1; port <= 100; port++) refusals.add(refusal(second * 100 + port));
    if (second % 10 === 0) refusals.flush();
  }
  assert.equal(total(), 120_000);
  // Ten minutes: one each three seconds, and a sum each ten.
  assert.ok(told.length <= 21 + 200 + 60, String(told.length));
});
