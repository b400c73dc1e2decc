import assert from "node:assert/strict";
import { FirmaException } from "../../../../src/core/result.ts";
import { Batches } from "../../../../src/authority/store/postgres/batches.ts";
import { eventually } from "../../../fixtures/deadline.ts";

/** Work that ends when it is told to; `begun` holds the entries of each batch. */
function subject() {
  const begun: number[][] = [];
  const ends: (() => void)[] = [];
  const batches = new Batches<number, string>((entries) => {
    begun.push([...entries]);
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    return promise.then(() => entries.map(String));
  });
  return { batches, begun, ends };
}

Deno.test("Batches does the first at once, and together what comes while it is under way", async () => {
  const { batches, begun, ends } = subject();
  const answers = [1, 2, 3].map((entry) => batches.add(entry));
  assert.deepEqual(begun, [[1]]);
  ends[0]!();
  assert.equal(await answers[0], "1");
  await eventually("the second batch", () => begun.length === 2 || undefined);
  const late = batches.add(4);
  ends[1]!();
  assert.deepEqual(await Promise.all(answers), ["1", "2", "3"]);
  await eventually("the third batch", () => begun.length === 3 || undefined);
  ends[2]!();
  assert.equal(await late, "4");
  assert.deepEqual(begun, [[1], [2, 3], [4]]);
  const next = batches.add(5);
  await eventually("one more", () => begun.length === 4 || undefined);
  ends[3]!();
  assert.equal(await next, "5", "and goes on after a pause");
});

Deno.test("Batches answers nobody before the work is done", async () => {
  const { batches, ends } = subject();
  let isAnswered = false;
  const answer = batches.add(1).then(() => isAnswered = true);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.equal(isAnswered, false);
  ends[0]!();
  await answer;
});

Deno.test("Batches holds no more than 256 in one", async () => {
  const sizes: number[] = [];
  const batches = new Batches<number, number>((entries) => {
    sizes.push(entries.length);
    return Promise.resolve(entries);
  });
  const all = Array.from({ length: 600 }, (_, i) => i);
  assert.deepEqual(await Promise.all(all.map((entry) => batches.add(entry))), all);
  assert.deepEqual(sizes, [1, 256, 256, 87]);
});

Deno.test("Batches lets one entry that is refused fail alone", async () => {
  let batchesDone = 0;
  const batches = new Batches<string, string>((entries) => {
    batchesDone++;
    if (!entries.includes("bad")) return Promise.resolve(entries);
    throw new FirmaException({ code: "STORE_REFUSED", message: "invalid byte" });
  });
  const said = await Promise.allSettled(["a", "b", "bad", "c"].map((each) => batches.add(each)));
  assert.deepEqual(said.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assert.equal(batchesDone, 5);
});

Deno.test("Batches tells everybody of a store that is lost, and asks it once", async () => {
  let asked = 0;
  let isLost = true;
  const batches = new Batches<number, number>((entries) => {
    asked++;
    if (!isLost) return Promise.resolve(entries);
    throw new FirmaException({ code: "STORE_UNREACHABLE", message: "gone" });
  });
  const said = await Promise.allSettled([1, 2, 3].map((each) => batches.add(each)));
  assert.ok(said.every(({ status }) => status === "rejected"));
  assert.equal(asked, 2, "the first, then the two that waited");
  isLost = false;
  assert.equal(await batches.add(4), 4);
});

Deno.test("Batches takes an answer that is too short for none", async () => {
  const batches = new Batches<number, number>((entries) => Promise.resolve(entries.slice(1)));
  await assert.rejects(batches.add(1), /Not every entry was answered/);
});
