import assert from "node:assert/strict";
import { checkpointPath } from "../../src/audit/checkpoint.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import type { DecisionEvent, ExecutionEvent } from "../../src/core/event.ts";
import type { SigningKey } from "../../src/pki/signing_key.ts";
import {
  chainLines,
  inTempDir,
  numberedDecision,
  readEvents,
  sampleDecision,
  sampleKey,
  sampleOutcome,
  writeLog,
} from "./sample.ts";

async function open(file: string, key: SigningKey): Promise<AuditWriter> {
  return unwrap(await AuditWriter.open({ file, key }));
}

async function assertWhole(file: string, key: SigningKey, lines: number): Promise<void> {
  const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
  assert.deepEqual(report, { file, whole: true, lines, checkpointSize: lines });
}

Deno.test("AuditWriter writes a log that verifies, beginning with its key", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/data/audit/audit.jsonl`;
    const writer = await open(file, key);
    assert.ok(writer.append(sampleDecision()));
    assert.ok(writer.append(sampleOutcome()));
    unwrap(await writer.close());
    const [first, decision, outcome] = await readEvents(file);
    assert.ok(first?.kind === "key" && first.change === "created");
    assert.equal(first.public_key, key.publicKey.toBase64());
    assert.partialDeepStrictEqual(decision, sampleDecision());
    assert.partialDeepStrictEqual(outcome, sampleOutcome());
    await assertWhole(file, key, 3);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(checkpointPath(file))).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(`${dir}/data/audit`)).mode! & 0o777, 0o700);
  }));

Deno.test("AuditWriter continues the chain, and names the key once", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    for (let i = 0; i < 3; i++) {
      const writer = await open(file, key);
      assert.ok(writer.append(numberedDecision(i)));
      unwrap(await writer.close());
    }
    const events = await readEvents(file);
    assert.deepEqual(events.map(({ kind }) => kind), ["key", "decision", "decision", "decision"]);
    await assertWhole(file, key, 4);
  }));

Deno.test("AuditWriter names a new key on a log of another one", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const next = await sampleKey(dir, "next.key");
    const file = `${dir}/audit.jsonl`;
    unwrap(await (await open(file, key)).close());
    unwrap(await (await open(file, next)).close());
    const [, second, ...rest] = await readEvents(file);
    assert.ok(second?.kind === "key" && second.change === "created");
    assert.equal(second.public_key, next.publicKey.toBase64());
    assert.equal(rest.length, 0);
    const keys = { publicKeys: [key.publicKey, next.publicKey] };
    assert.equal(unwrap(await verifyLog(file, keys)).whole, true);
  }));

Deno.test("AuditWriter acknowledges in order, and counts what the callers gave it", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const writer = await open(`${dir}/audit.jsonl`, key);
    const counts: number[] = [];
    writer.onAcknowledged((count) => counts.push(count));
    assert.equal(writer.acknowledged, 0);
    for (let i = 0; i < 1_000; i++) assert.ok(writer.append(numberedDecision(i)));
    assert.equal(writer.acknowledged, 0, "append() wrote by itself");
    unwrap(await writer.flush());
    assert.equal(writer.acknowledged, 1_000);
    assert.deepEqual(counts, [...counts].sort((a, b) => a - b));
    assert.equal(counts.at(-1), 1_000);
    const events = await readEvents(`${dir}/audit.jsonl`);
    assert.deepEqual(
      events.slice(1).map(({ event_id }) => event_id),
      Array.from({ length: 1_000 }, (_, i) => `aevt_w_${i}`),
    );
    unwrap(await writer.close());
  }));

Deno.test("AuditWriter writes without anybody waiting for it", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const writer = await open(`${dir}/audit.jsonl`, key);
    const written = Promise.withResolvers<number>();
    writer.onAcknowledged((count) => count === 2 && written.resolve(count));
    assert.ok(writer.append(numberedDecision(0)));
    await Promise.resolve();
    assert.ok(writer.append(numberedDecision(1)));
    assert.equal(await written.promise, 2);
    unwrap(await writer.close());
  }));

Deno.test("append() refuses when the queue is full and takes more when it is written", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const writer = unwrap(await AuditWriter.open({ file: `${dir}/audit.jsonl`, key, capacity: 5 }));
    const accepted = Array.from({ length: 8 }, (_, i) => writer.append(numberedDecision(i)));
    assert.deepEqual(accepted, [true, true, true, true, true, false, false, false]);
    assert.equal(writer.state, "ok");
    unwrap(await writer.flush());
    assert.ok(writer.append(numberedDecision(8)));
    unwrap(await writer.close());
    assert.equal(writer.append(numberedDecision(9)), false, "accepted after close()");
    await assertWhole(`${dir}/audit.jsonl`, key, 7);
  }));

Deno.test("close() writes what is left, and may be called again", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const writer = await open(`${dir}/audit.jsonl`, key);
    for (let i = 0; i < 700; i++) writer.append(numberedDecision(i));
    unwrap(await writer.close());
    unwrap(await writer.close());
    await assertWhole(`${dir}/audit.jsonl`, key, 701);
  }));

Deno.test("AuditWriter redacts the query of a resource", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const writer = unwrap(await AuditWriter.open({ file, key, redactNames: ["who"] }));
    writer.append(sampleDecision({ resource: "host.invalid/p?token=hunter2&who=me&q=1" }));
    unwrap(await writer.close());
    const text = await Deno.readTextFile(file);
    assert.ok(!text.includes("hunter2"));
    assert.ok(text.includes("host.invalid/p?token=[REDACTED]&who=[REDACTED]&q=1"));
  }));

Deno.test("AuditWriter writes whatever an agent puts into an event", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const writer = await open(file, key);
    const hostile = [
      "\ud800 lone",
      "line\nbreak\r\u2028\u0000",
      "\x1b[2J\u009b31m",
      '"},"signature":"',
      "x".repeat(200_000),
    ];
    for (const detail of hostile) assert.ok(writer.append(sampleDecision({ detail })));
    assert.ok(writer.append(sampleDecision({ latency_us: NaN })));
    const extra = { seq: 7, prev: "x", signature: "x" } as unknown as Partial<ExecutionEvent>;
    assert.ok(writer.append({ ...sampleDecision(), ...extra } as ExecutionEvent));
    unwrap(await writer.close());
    await assertWhole(file, key, 8);
    const events = await readEvents(file);
    assert.equal((events[1] as { detail: string }).detail, "\ufffd lone");
    assert.equal((events[2] as { detail: string }).detail, hostile[1]);
    assert.equal((events[4] as { detail: string }).detail, hostile[3]);
  }));

Deno.test("AuditWriter cuts what would make a line too long to be verified", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const writer = await open(file, key);
    // A control character takes six bytes in JSON, and a body that a decoder reads has 4 MiB.
    const long = "\u0001".repeat(4 * 1024 * 1024);
    const envelope = (attributes: Record<string, string | string[]>) =>
      ({ intent: { attributes } }) as unknown as DecisionEvent["envelope"];
    assert.ok(writer.append(sampleDecision({ envelope: envelope({ git_ref: long }) })));
    const many = new Array<string>(100).fill("\u0001".repeat(40_000));
    assert.ok(writer.append(sampleDecision({ envelope: envelope({ fields: many }) })));
    unwrap(await writer.close());
    await assertWhole(file, key, 3);
    const [, cut, left] = await readEvents(file) as DecisionEvent[];
    assert.match(String(cut!.envelope!.intent.attributes.git_ref), /\(4194304 characters\)$/);
    assert.equal(left!.envelope, undefined);
    assert.match(left!.detail, /the envelope is left out/);
    assert.ok((await Deno.stat(file)).size < 1_000_000);
  }));

Deno.test("AuditWriter sets a torn last line aside and says so", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const { lines } = chainLines([numberedDecision(0), numberedDecision(1)], key);
    const torn = lines[1]!.slice(0, 100);
    await writeLog(file, [lines[0]!, torn]);
    const writer = await open(file, key);
    writer.append(numberedDecision(2));
    unwrap(await writer.close());
    const [, recovered, decision] = await readEvents(file);
    assert.ok(recovered?.kind === "key" && recovered.change === "recovered");
    const aside = (await Array.fromAsync(Deno.readDir(dir)))
      .map(({ name }) => name).filter((name) => name.startsWith("audit.jsonl.torn-"));
    assert.equal(aside.length, 1);
    assert.match(recovered.detail, new RegExp(`100 bytes is in ".*${aside[0]}"`));
    assert.equal(await Deno.readTextFile(`${dir}/${aside[0]}`), torn);
    assert.equal(decision?.event_id, "aevt_w_2");
    await assertWhole(file, key, 3);
  }));

Deno.test("AuditWriter sets a torn line aside that is all there is", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    await writeLog(file, ["x".repeat(200_000)]);
    unwrap(await (await open(file, key)).close());
    assert.deepEqual(
      (await readEvents(file)).map((event) => event.kind === "key" && event.change),
      ["created", "recovered"],
    );
    await assertWhole(file, key, 2);
  }));

Deno.test("AuditWriter says so when lines are missing that a checkpoint vouches for", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const { lines, head } = chainLines([0, 1, 2, 3].map((i) => numberedDecision(i)), key);
    await writeLog(file, lines.slice(0, 2), { head, key });
    unwrap(await (await open(file, key)).close());
    const events = await readEvents(file);
    const last = events.at(-1);
    assert.ok(last?.kind === "key" && last.change === "truncated");
    assert.match(last.detail, /held 4 lines and now holds 2: 2 are missing/);
    const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
    assert.deepEqual([report.broken?.line, report.broken?.code], [3, "TRUNCATED"]);
  }));

Deno.test("AuditWriter does not continue what is no audit log", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    for (const text of ["notes of mine\n", "{}\n", '{"seq":-1}\n', "\n", '{"seq":"1"}\n']) {
      const file = `${dir}/notes.txt`;
      await Deno.writeTextFile(file, text);
      const result = await AuditWriter.open({ file, key });
      assert.ok(!result.ok, text);
      assert.equal(result.error.code, "AUDIT_LOG_DAMAGED");
      assert.equal(await Deno.readTextFile(file), text);
    }
  }));

Deno.test("AuditWriter.open() fails where it cannot write", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    await Deno.writeTextFile(`${dir}/file`, "");
    await Deno.mkdir(`${dir}/directory`);
    await Deno.mkdir(`${dir}/checkpointed/audit.jsonl.checkpoint`, { recursive: true });
    const places = [
      `${dir}/file/audit.jsonl`,
      `${dir}/directory`,
      "/dev/null",
      "/proc/audit.jsonl",
    ];
    for (const file of [...places, `${dir}/checkpointed/audit.jsonl`]) {
      const result = await AuditWriter.open({ file, key });
      assert.ok(!result.ok, file);
      assert.ok(result.error.message.startsWith(`Cannot write the audit log "${file}": `));
      assert.ok(result.error.cure);
    }
  }));
