import assert from "node:assert/strict";
import { Broadcast } from "../../src/authority/broadcast.ts";

async function take<T>(values: AsyncIterator<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value } = await values.next();
    taken.push(value);
  }
  return taken;
}

Deno.test("subscribe() hands a slow reader the newest of each kind, in the order they were last said", async () => {
  const broadcast = new Broadcast<string>((value) => value[0]);
  const abort = new AbortController();
  const reader = broadcast.subscribe(() => ["a0"], abort.signal);
  assert.deepEqual(await take(reader, 1), ["a0"]);
  for (let i = 1; i <= 1000; i++) broadcast.publish(`${i % 2 ? "a" : "b"}${i}`);
  assert.deepEqual(await take(reader, 2), ["a999", "b1000"]);
  broadcast.publish("a1001");
  assert.deepEqual(await take(reader, 1), ["a1001"]);
  abort.abort();
  assert.equal((await reader.next()).done, true);
});

Deno.test("subscribe() ends when its signal aborts, also amid a wait, and keeps nothing", async () => {
  const broadcast = new Broadcast<string>();
  const abort = new AbortController();
  const reader = broadcast.subscribe(() => [], abort.signal);
  const next = reader.next();
  abort.abort();
  assert.equal((await next).done, true);
});
