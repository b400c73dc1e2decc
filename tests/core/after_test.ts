import assert from "node:assert/strict";
import { after, afterIfAlive, every } from "../../src/core/after.ts";

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

Deno.test("every() calls again and again, until it is called off", async () => {
  const called = Promise.withResolvers<void>();
  let calls = 0;
  const callOff = every(2, () => {
    if (++calls === 3) called.resolve();
  });
  await called.promise;
  callOff();
  const seen = calls;
  const later = Promise.withResolvers<void>();
  after(20, later.resolve);
  await later.promise;
  assert.equal(calls, seen);
});

Deno.test("afterIfAlive() calls when the time is over, and not what was called off", async () => {
  const called = Promise.withResolvers<void>();
  const began = performance.now();
  let calls = 0;
  const callOff = afterIfAlive(5, () => calls++);
  callOff();
  afterIfAlive(30, called.resolve);
  // Something has to keep this process going.
  const callOffLimit = after(60_000, () => called.reject(new Error("it was not called")));
  await called.promise;
  callOffLimit();
  assert(performance.now() - began >= 29);
  assert.equal(calls, 0);
});

Deno.test("afterIfAlive() keeps no process going", async () => {
  const module = new URL("../../src/core/after.ts", import.meta.url).href;
  const program = `import { afterIfAlive } from "${module}"; afterIfAlive(600_000, () => {});`;
  const command = new Deno.Command(Deno.execPath(), { args: ["eval", program] });
  assert((await command.output()).success);
});
