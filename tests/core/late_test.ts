import assert from "node:assert/strict";
import { Late } from "../../src/core/late.ts";

Deno.test("get() makes it once, however many ask at once", async () => {
  let made = 0;
  const late = new Late(() => Promise.resolve(++made));
  assert.equal(late.value, undefined);
  assert.deepEqual(await Promise.all([late.get(), late.get()]), [1, 1]);
  assert.equal(await late.get(), 1);
  assert.equal(late.value, 1);
});

Deno.test("get() tries again after it could not be made", async () => {
  let tries = 0;
  const late = new Late(() =>
    ++tries < 2 ? Promise.reject(new Error("no")) : Promise.resolve("made")
  );
  await assert.rejects(late.get(), /no/);
  assert.equal(late.value, undefined);
  assert.equal(await late.get(), "made");
});
