import assert from "node:assert/strict";
import { verifyLog } from "../../src/audit/verify.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { eventually } from "../fixtures/deadline.ts";
import { inTempDir, numberedDecision, readEvents, sampleKey } from "./sample.ts";

/** Runs `body` while `sync` stands in for the wait for the disk. */
async function withDisk(sync: () => Promise<void>, body: () => Promise<void>): Promise<void> {
  const usual = Deno.FsFile.prototype.syncData;
  Deno.FsFile.prototype.syncData = sync;
  try {
    await body();
  } finally {
    Deno.FsFile.prototype.syncData = usual;
  }
}

Deno.test("AuditWriter acknowledges in durable mode once lines are on the disk, many at once", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const writer = unwrap(await AuditWriter.open({ file, key, durability: "durable" }));
    const disk = Promise.withResolvers<void>();
    let syncs = 0;
    await withDisk(() => {
      syncs++;
      return disk.promise;
    }, async () => {
      for (let i = 0; i < 500; i++) assert.ok(writer.append(numberedDecision(i)));
      await eventually("a wait for the disk", () => syncs > 0 || undefined);
      assert.equal((await readEvents(file)).length, 501, "written");
      assert.equal(writer.acknowledged, 0, "acknowledged before they were on the disk");
      disk.resolve();
      unwrap(await writer.flush());
    });
    assert.equal(writer.acknowledged, 500);
    assert.equal(syncs, 1);
    unwrap(await writer.close());
  }));

Deno.test("AuditWriter does not wait for the disk where it need not", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const options = { file, key, checkpointIntervalMs: 600_000 };
    const writer = unwrap(await AuditWriter.open(options));
    await withDisk(() => Promise.reject(new Error("asked for the disk")), async () => {
      for (let i = 0; i < 10; i++) assert.ok(writer.append(numberedDecision(i)));
      unwrap(await writer.flush());
    });
    assert.equal(writer.acknowledged, 10);
    unwrap(await writer.close());
  }));

Deno.test("AuditWriter denies in durable mode when the disk does not confirm, and writes again", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const writer = unwrap(await AuditWriter.open({ file, key, durability: "durable" }));
    await withDisk(() => Promise.reject(new Error("Input/output error (os error 5)")), async () => {
      for (let i = 0; i < 10; i++) assert.ok(writer.append(numberedDecision(i)));
      const flushed = await writer.flush();
      assert.ok(!flushed.ok);
      assert.match(flushed.error.message, /Input\/output error/);
      assert.equal(writer.state, "failed");
      assert.equal(writer.acknowledged, 0);
      assert.equal(writer.append(numberedDecision(10)), false);
    });
    await eventually("it works again", () => writer.state === "ok" ? true : undefined);
    unwrap(await writer.close());
    assert.equal(writer.acknowledged, 10);
    const ids = (await readEvents(file)).map(({ event_id }) => event_id);
    for (let i = 0; i < 10; i++) assert.ok(ids.includes(`aevt_w_${i}`), `${i} is missing`);
    assert.ok(unwrap(await verifyLog(file, { publicKeys: [key.publicKey] })).whole);
  }));
