import assert from "node:assert/strict";
import {
  cedarMemory,
  fillCedarMemory,
  takeFromCedarMemory,
} from "../../../src/sidecar/worker/cedar_memory.ts";

const MODULE = new Uint8Array([0, 97, 115, 109]);

Deno.test("takeFromCedarMemory() asks once, and hands out a copy of its own", () => {
  const memory = cedarMemory(8);
  let asked = 0;
  const take = () =>
    takeFromCedarMemory(memory, () => {
      asked++;
      fillCedarMemory(memory, MODULE);
    });
  const first = take();
  assert.deepEqual(first, MODULE);
  first.fill(1);
  assert.deepEqual(take(), MODULE);
  assert.equal(asked, 1);
});

Deno.test("takeFromCedarMemory() throws where there is nothing to take, and asks again", () => {
  const memory = cedarMemory(4);
  const answer = (module: Uint8Array | undefined) =>
    takeFromCedarMemory(memory, () => fillCedarMemory(memory, module));
  assert.throws(() => answer(undefined), /it cannot be read/);
  assert.throws(() => answer(new Uint8Array(5)), /it cannot be read/, "it grew meanwhile");
  assert.throws(() => takeFromCedarMemory(memory, () => {}, 1), /no answer/);
  assert.deepEqual(answer(MODULE), MODULE);
});
