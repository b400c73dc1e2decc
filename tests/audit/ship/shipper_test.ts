import assert from "node:assert/strict";
import { cursorPath, readCursor } from "../../../src/audit/ship/cursor.ts";
import { endOfLog } from "../../../src/audit/ship/log_files.ts";
import { Shipper } from "../../../src/audit/ship/shipper.ts";
import { ShippingSink } from "../../../src/audit/ship/shipping_sink.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { inTempDir } from "../sample.ts";
import { openLog, StandIn, upTo } from "./support.ts";

const FAST = { pollMs: 10, minBackoffMs: 1, maxBackoffMs: 5 };

function shipper(logPath: string, destination: StandIn, special: object = {}) {
  const notices: string[] = [];
  const value = new Shipper({
    logPath,
    sink: "test",
    destination,
    notify: (level, text) => notices.push(`${level}: ${text}`),
    ...FAST,
    ...special,
  });
  return { value, notices };
}

Deno.test("Shipper delivers what is in the log and what comes, in order and once", async () => {
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(40);
    const destination = new StandIn();
    const { value, notices } = shipper(log.path, destination);
    await eventually("the old lines", () => destination.seen.length >= 41 || undefined);
    await log.write(10);
    await eventually("the new lines", () => destination.seen.length >= 51 || undefined);
    await value.close(1_000);
    await log.writer.close();
    assert.deepEqual(destination.seen, upTo(51));
    assert.deepEqual(notices, []);
    assert.equal(readCursor(cursorPath(log.path, "test")).seq, 51);
  });
});

Deno.test("Shipper goes on from its cursor, and from the start without one", async () => {
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(9);
    const [first, second, third] = [new StandIn(), new StandIn(), new StandIn()];
    await shipper(log.path, first).value.close(5_000);
    await log.write(5);
    await shipper(log.path, second).value.close(5_000);
    await Deno.writeTextFile(cursorPath(log.path, "test"), '{"seq": 4, "hash":');
    await shipper(log.path, third).value.close(5_000);
    await log.writer.close();
    assert.deepEqual(first.seen, upTo(10));
    assert.deepEqual(second.seen, [11, 12, 13, 14, 15]);
    assert.deepEqual(third.seen, upTo(15));
  });
});

Deno.test("Shipper keeps trying, says so once, and says when it works again", async () => {
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(3);
    const destination = new StandIn();
    destination.fault = "it is on fire";
    const { value, notices } = shipper(log.path, destination);
    await eventually("several attempts", () => destination.batches > 3 || undefined);
    assert.equal(value.state.state, "failed");
    assert.equal(value.state.delivered, 0);
    destination.fault = undefined;
    await eventually("the lines", () => destination.seen.length === 4 || undefined);
    await eventually("the notice", () => notices.length === 2 || undefined);
    await value.close(1_000);
    await log.writer.close();
    assert.match(notices[0]!, /^warn: Cannot ship .*it is on fire/);
    assert.match(notices[1]!, /^info: .* again$/);
    assert.deepEqual(destination.seen, upTo(4));
  });
});

Deno.test("ShippingSink that hangs slows neither the log nor another sink", async () => {
  await inTempDir(async (dir) => {
    const [stuck, free] = [new StandIn(), new StandIn()];
    stuck.hangs = true;
    const notices: string[] = [];
    const sinkOf = (sink: string, destination: StandIn) =>
      new ShippingSink({
        logPath: `${dir}/audit.jsonl`,
        sink,
        destination,
        required: true,
        notify: (_, text) => notices.push(text),
        timeoutMs: 20,
        ...FAST,
      });
    const sinks = [sinkOf("stuck", stuck), sinkOf("free", free)];
    const log = await openLog(dir, sinks);
    await log.write(200);
    await eventually("the other sink", () => free.seen.length === 201 || undefined);
    await eventually("the time-out", () => notices.length > 0 || undefined);
    assert.equal(log.writer.state, "ok");
    assert.deepEqual(free.seen, upTo(201));
    assert.deepEqual(stuck.seen, []);
    assert.match(notices[0]!, /did not answer in time/);
    assert.deepEqual(sinks.map((sink) => sink.oldestNeeded()), [1, 202]);
    await log.writer.close();
  });
});

Deno.test("Shipper leaves a log to the process that ships it, and takes over", async () => {
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(3);
    const [first, second] = [new StandIn(), new StandIn()];
    const owner = shipper(log.path, first).value;
    await eventually("the owner", () => first.seen.length === 4 || undefined);
    const heir = shipper(log.path, second).value;
    await eventually("the heir", () => heir.state.state === "elsewhere" || undefined);
    await log.write(3);
    await eventually("more lines", () => first.seen.length === 7 || undefined);
    assert.equal(heir.oldestNeeded(), 8);
    await owner.close(1_000);
    await log.write(2);
    await eventually("the heir's lines", () => second.seen.length === 2 || undefined);
    await heir.close(1_000);
    await log.writer.close();
    assert.deepEqual(second.seen, [8, 9]);
  });
});

for (const packing of ["plain", "gzip", "zstd"] as const) {
  Deno.test(`Shipper goes on across the files of a log, ${packing} ones that were closed`, async () => {
    await inTempDir(async (dir) => {
      const destination = new StandIn({ lines: 4, bytes: 65_536 });
      const log = await openLog(dir, [], { rotation: { maxBytes: 4_000 }, packing });
      const { value, notices } = shipper(log.path, destination);
      for (let i = 0; i < 10; i++) await log.write(5);
      destination.fault = "not now";
      for (let i = 0; i < 10; i++) await log.write(5);
      await log.writer.close();
      destination.fault = undefined;
      const last = endOfLog(log.path).seq;
      await eventually("all lines", () => destination.seen.length >= last || undefined);
      await value.close(1_000);
      const again = new StandIn();
      await shipper(log.path, again, { sink: "again" }).value.close(10_000);
      assert.ok(last > 110, String(last));
      assert.deepEqual(destination.seen, upTo(last));
      assert.deepEqual(again.seen, upTo(last));
      assert.equal(notices.filter((text) => text.startsWith("error")).length, 0);
    });
  });
}

Deno.test("Shipper tells of lines that are gone before they were shipped, and goes on", async () => {
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(9);
    await log.writer.close();
    const lines = (await Deno.readTextFile(log.path)).split(/(?<=\n)/);
    await Deno.writeTextFile(log.path, lines.slice(4).join(""));
    const destination = new StandIn();
    const { value, notices } = shipper(log.path, destination);
    await eventually("the rest", () => destination.seen.length === 6 || undefined);
    await value.close(1_000);
    assert.deepEqual(destination.seen, [5, 6, 7, 8, 9, 10]);
    assert.match(notices[0]!, /^error: The lines 1 to 4 .* are gone/);
  });
});

Deno.test("Shipper ships a log again that is not the one that was shipped", async () => {
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(9);
    await log.writer.close();
    const destination = new StandIn();
    await shipper(log.path, destination).value.close(5_000);
    const lines = (await Deno.readTextFile(log.path)).split(/(?<=\n)/);
    await Deno.writeTextFile(log.path, lines.slice(0, 3).join(""));
    const again = new StandIn();
    const { value, notices } = shipper(log.path, again);
    await eventually("the lines that are left", () => again.seen.length === 3 || undefined);
    await value.close(1_000);
    assert.match(notices[0]!, /^error: The audit log is not the one that was shipped/);
    assert.deepEqual(again.seen, [1, 2, 3]);
  });
});
