import assert from "node:assert/strict";
import { after } from "../../src/core/after.ts";

Deno.test("after() calls when the time is over, once", async () => {
  const called = Promise.withResolvers<void>();
  let calls = 0;
  const began = performance.now();
  after(20, () => {
    calls++;
    called.resolve();
  });
  await called.promise;
  assert(performance.now() - began >= 19);
  assert.equal(calls, 1);
});

Deno.test("after() does not call what was called off", async () => {
  const later = Promise.withResolvers<void>();
  let calls = 0;
  const callOff = after(5, () => calls++);
  callOff();
  after(30, later.resolve);
  await later.promise;
  assert.equal(calls, 0);
});

Deno.test("after() holds on to what it is to call through a collection of garbage", async () => {
  const called = Promise.withResolvers<void>();
  after(100, called.resolve);
  const rounds = Array.from({ length: 20 }, () => new Array(100_000).fill({}));
  (globalThis as { gc?: () => void }).gc?.();
  assert.equal(rounds.length, 20);
  await called.promise;
});
