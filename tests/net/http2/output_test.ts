import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ConnectionError } from "../../../src/net/http2/frame.ts";
import { Output } from "../../../src/net/http2/output.ts";
import { Ration } from "../../../src/net/ration.ts";
import { flushed } from "./_wire.ts";

function rig() {
  const writes: { readonly size: number; done(): void; fail(): void }[] = [];
  const failures: (ConnectionError | undefined)[] = [];
  const log: string[] = [];
  const sink = {
    slow: true,
    write(bytes: Buffer): Promise<void> | undefined {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      writes.push({ size: bytes.length, done: resolve, fail: () => reject(new Error("broken")) });
      return this.slow ? promise : undefined;
    },
    end: () => void log.push("end"),
  };
  const output = new Output(sink, (error) => failures.push(error));
  return { sink, writes, failures, log, output };
}

Deno.test("push() writes the frames of one turn together", async () => {
  const { writes, output } = rig();
  output.push(Buffer.alloc(10));
  output.push(Buffer.alloc(20));
  assert.equal(writes.length, 0);
  await flushed();
  output.push(Buffer.alloc(5));
  await flushed();
  assert.deepEqual(writes.map(({ size }) => size), [30], "the second waits for the first");
  assert.equal(output.congested, true);
  writes[0]!.done();
  await flushed();
  assert.deepEqual(writes.map(({ size }) => size), [30, 5]);
});

Deno.test("room() resolves when a write ends, at once or later", async () => {
  const { sink, writes, output } = rig();
  for (const slow of [true, false]) {
    sink.slow = slow;
    let room = false;
    output.push(Buffer.alloc(300_000));
    assert.equal(output.full, true);
    void output.room().then(() => room = true);
    await flushed();
    if (slow) {
      assert.equal(room, false);
      writes[0]!.done();
      await flushed();
    }
    assert.deepEqual([room, output.full, output.congested], [true, false, false]);
  }
});

Deno.test("push() never throws; too much that waits fails the output afterwards, once", async () => {
  const { writes, failures, output } = rig();
  output.push(Buffer.alloc(1));
  await flushed();
  for (let i = 0; i < 30; i++) output.push(Buffer.alloc(100_000));
  assert.equal(failures.length, 0);
  await flushed();
  assert.match(failures[0]?.message ?? "", /does not read/);
  assert.equal(failures.length, 1);
  assert.equal(writes.length, 1);
});

Deno.test("push() takes more at once than may wait, when it leaves at once", async () => {
  const { sink, failures, output } = rig();
  sink.slow = false;
  for (let i = 0; i < 30; i++) output.push(Buffer.alloc(100_000));
  await flushed();
  assert.equal(failures.length, 0);
});

Deno.test("a sink that breaks fails the output", async () => {
  const { writes, failures, output } = rig();
  output.push(Buffer.alloc(1));
  await flushed();
  writes[0]!.fail();
  await flushed();
  assert.deepEqual(failures, [undefined]);
});

Deno.test("end() writes what is left, and nothing after it", async () => {
  const { writes, log, output } = rig();
  output.push(Buffer.alloc(7));
  let room = false;
  void output.room().then(() => room = true);
  output.end();
  output.push(Buffer.alloc(9));
  await flushed();
  assert.deepEqual(writes.map(({ size }) => size), [7]);
  assert.deepEqual([room, log], [true, ["end"]]);
});

Deno.test("spend() gives so much at once, and again what was earned", () => {
  const ration = new Ration(10, 0);
  assert.equal(ration.spend(10), true);
  ration.earn(3);
  assert.deepEqual([ration.spend(3), ration.spend(1)], [true, false]);
  ration.earn(1_000);
  assert.deepEqual([ration.spend(10), ration.spend(1)], [true, false], "earning saves nothing up");
});

Deno.test("spend() gives more as time goes by", () => {
  const ration = new Ration(10, 1_000_000_000);
  for (let i = 0; i < 100; i++) assert.equal(ration.spend(10), true);
});
