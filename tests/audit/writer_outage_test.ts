import assert from "node:assert/strict";
import { verifyLog } from "../../src/audit/verify.ts";
import { AuditWriter, type AuditWriterOptions } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import type { SigningKey } from "../../src/pki/signing_key.ts";
import { eventually } from "../fixtures/deadline.ts";
import { canMountDisk, SmallDisk } from "../fixtures/small_disk.ts";
import { inTempDir, numberedDecision, readEvents, sampleKey, sampleOutcome } from "./sample.ts";

interface Watched {
  readonly writer: AuditWriter;
  readonly changes: string[];
}

async function open(
  file: string,
  key: SigningKey,
  options: Partial<AuditWriterOptions> = {},
): Promise<Watched> {
  const writer = unwrap(await AuditWriter.open({ file, key, ...options }));
  const changes: string[] = [];
  writer.onChange((state, error) => changes.push(error ? `${state}: ${error.message}` : state));
  return { writer, changes };
}

async function untilState(writer: AuditWriter, state: string): Promise<void> {
  await eventually(`state "${state}"`, () => writer.state === state ? true : undefined);
}

/** The numbers of the decisions in a log, in order. */
async function decisionsIn(file: string): Promise<string[]> {
  const events = await readEvents(file);
  return events.filter(({ kind }) => kind === "decision").map(({ event_id }) => event_id);
}

async function notesIn(file: string): Promise<string[]> {
  const events = await readEvents(file);
  return events.flatMap((event) =>
    event.kind === "key" ? [`${event.change}: ${event.detail}`] : []
  );
}

for (
  const [what, harm, told] of [
    ["deleted", (file: string) => Deno.remove(file), /it was deleted/],
    [
      "replaced",
      async (file: string) => {
        await Deno.rename(file, `${file}.1`);
        await Deno.writeTextFile(file, "");
      },
      /it was replaced by another file/,
    ],
    ["shortened", (file: string) => Deno.truncate(file, 10), /it became shorter/],
  ] as const
) {
  Deno.test(`AuditWriter fails at once when the log is ${what}, keeps what it has, and recovers`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const file = `${dir}/audit/audit.jsonl`;
      const { writer, changes } = await open(file, key);
      for (let i = 0; i < 10; i++) writer.append(numberedDecision(i));
      unwrap(await writer.flush());
      await harm(file);
      for (let i = 10; i < 300; i++) assert.ok(writer.append(numberedDecision(i)));
      const flushed = await writer.flush();
      assert.ok(!flushed.ok);
      assert.match(flushed.error.message, told);
      assert.equal(writer.state, "failed");
      assert.match(writer.error!.message, told);
      assert.equal(writer.append(numberedDecision(999)), false, "accepted while failed");
      assert.equal(writer.acknowledged, 10);
      await untilState(writer, "ok");
      assert.ok(writer.append(numberedDecision(300)));
      unwrap(await writer.close());
      assert.equal(writer.acknowledged, 301);
      assert.deepEqual(
        await decisionsIn(file),
        Array.from({ length: 291 }, (_, i) => `aevt_w_${i + 10}`),
      );
      assert.equal(changes.length, 2);
      assert.match(changes[0]!, told);
      assert.equal(changes[1], "ok");
      const notes = await notesIn(file);
      assert.ok(notes.some((note) => /^truncated: the log held 11 lines/.test(note)), `${notes}`);
      assert.ok(notes.some((note) => /^recovered: .*1 events refused/.test(note)), `${notes}`);
      const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
      assert.equal(report.broken?.code, "TRUNCATED");
    }));
}

Deno.test("AuditWriter keeps failing while its directory is gone and nothing can be made there", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit/audit.jsonl`;
    const { writer, changes } = await open(file, key);
    await Deno.remove(`${dir}/audit`, { recursive: true });
    await Deno.writeTextFile(`${dir}/audit`, "in the way");
    assert.ok(writer.append(numberedDecision(0)));
    await untilState(writer, "failed");
    for (let i = 0; i < 3; i++) {
      assert.ok(!(await writer.flush()).ok);
      assert.equal(writer.append(numberedDecision(1)), false);
    }
    assert.equal(changes.length, 1, "told more than once");
    await Deno.remove(`${dir}/audit`);
    await untilState(writer, "ok");
    unwrap(await writer.close());
    assert.deepEqual(await decisionsIn(file), ["aevt_w_0"]);
  }));

Deno.test("AuditWriter takes the outcome of what was allowed while it is failed", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit/audit.jsonl`;
    const { writer } = await open(file, key);
    await Deno.remove(file);
    await Deno.mkdir(file);
    assert.ok(writer.append(numberedDecision(0)));
    await untilState(writer, "failed");
    assert.equal(writer.append(numberedDecision(1)), false);
    assert.equal(writer.append(sampleOutcome({ decision_event_id: "aevt_w_0" })), true);
    await Deno.remove(file);
    await untilState(writer, "ok");
    unwrap(await writer.close());
    const kinds = (await readEvents(file)).map(({ kind }) => kind);
    assert.deepEqual(kinds.filter((kind) => kind !== "key"), ["decision", "outcome"]);
  }));

Deno.test("AuditWriter fails when it cannot write a checkpoint, and does not flap", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const { writer, changes } = await open(file, key, { checkpointIntervalMs: 0 });
    await Deno.remove(`${file}.checkpoint`);
    await Deno.mkdir(`${file}.checkpoint`);
    assert.ok(writer.append(numberedDecision(0)));
    await untilState(writer, "failed");
    for (let i = 0; i < 5; i++) {
      await writer.flush();
      assert.equal(writer.append(numberedDecision(1)), false);
    }
    assert.equal(changes.length, 1, `${changes}`);
    await Deno.remove(`${file}.checkpoint`);
    await untilState(writer, "ok");
    unwrap(await writer.close());
    assert.equal((await notesIn(file)).filter((note) => note.startsWith("recovered")).length, 1);
    const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
    assert.deepEqual(report, { file, whole: true, lines: 3, checkpointSize: 3 });
  }));

Deno.test("close() says how much is lost when the log cannot be written", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const { writer } = await open(file, key);
    await Deno.remove(file);
    await Deno.mkdir(file);
    for (let i = 0; i < 3; i++) writer.append(numberedDecision(i));
    const closed = await writer.close();
    assert.ok(!closed.ok);
    assert.match(closed.error.message, /; 3 events were not written$/);
    assert.ok(!(await writer.close()).ok);
  }));

Deno.test("AuditWriter waits for a lock of another process without holding up others", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const { writer } = await open(file, key);
    const other = await Deno.open(file, { read: true });
    await other.lock(true);
    assert.ok(writer.append(numberedDecision(0)));
    const flushed = writer.flush();
    assert.equal(writer.acknowledged, 0);
    assert.equal(writer.state, "ok");
    await other.unlock();
    other.close();
    unwrap(await flushed);
    unwrap(await writer.close());
  }));

Deno.test("AuditWriter fails when another process never lets go of the lock", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const { writer, changes } = await open(file, key, { lockTimeoutMs: 200 });
    const other = await Deno.open(file, { read: true });
    await other.lock(true);
    assert.ok(writer.append(numberedDecision(0)));
    await untilState(writer, "failed");
    assert.match(changes[0]!, /another process has held its lock for 0.2 s/);
    await other.unlock();
    other.close();
    await untilState(writer, "ok");
    unwrap(await writer.close());
    assert.deepEqual(await decisionsIn(file), ["aevt_w_0"]);
  }));

/** Runs `body` with a directory that is a disk of `size` bytes. */
function withSmallDisk(
  size: number,
  body: (disk: SmallDisk) => Promise<void>,
): (t: Deno.TestContext) => Promise<void> {
  return async (t) => {
    if (!await canMountDisk()) {
      await t.step({ name: "skipped: nobody may mount a disk here", ignore: true, fn: () => {} });
      return;
    }
    await inTempDir(async (dir) => {
      await using disk = await SmallDisk.mount(dir, size);
      await body(disk);
    });
  };
}

for (const durability of ["queued", "durable"] as const) {
  Deno.test(
    `AuditWriter denies on a full disk and loses nothing when there is room again (${durability})`,
    withSmallDisk(64 * 1024, async (disk) => {
      await inTempDir(async (keys) => {
        const key = await sampleKey(keys);
        const file = `${disk.path}/audit.jsonl`;
        const { writer, changes } = await open(file, key, { durability });
        await Deno.writeFile(`${disk.path}/ballast`, new Uint8Array(32_768));
        let accepted = 0;
        while (accepted < 500 && writer.append(numberedDecision(accepted))) accepted++;
        const flushed = await writer.flush();
        assert.ok(!flushed.ok);
        assert.match(flushed.error.message, /No space left on device/);
        assert.match(flushed.error.cure!, /free some space/);
        assert.equal(writer.append(numberedDecision(accepted)), false, "accepted on a full disk");
        assert.equal(changes.length, 1);
        const text = await Deno.readTextFile(file);
        assert.ok(text.endsWith("\n"), "half a batch was left in the log");
        await disk.remount("size=4m");
        await untilState(writer, "ok");
        unwrap(await writer.close());
        assert.deepEqual(
          await decisionsIn(file),
          Array.from({ length: accepted }, (_, i) => `aevt_w_${i}`),
        );
        const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
        assert.equal(report.whole, true);
      });
    }),
  );
}

Deno.test(
  "AuditWriter denies on a file system that became read-only",
  withSmallDisk(4 << 20, async (disk) => {
    await inTempDir(async (keys) => {
      const key = await sampleKey(keys);
      const file = `${disk.path}/audit.jsonl`;
      unwrap(await (await open(file, key)).writer.close());
      await disk.remount("ro");
      const refused = await AuditWriter.open({ file, key });
      assert.ok(!refused.ok);
      assert.match(refused.error.message, /Read-only file system/);
      assert.match(refused.error.cure!, /writable/);
      await disk.remount("rw");
      unwrap(await (await open(file, key)).writer.close());
    });
  }),
);
