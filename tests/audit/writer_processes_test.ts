import assert from "node:assert/strict";
import { verifyLog } from "../../src/audit/verify.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey, type SigningKey } from "../../src/pki/signing_key.ts";
import { AuditKills } from "../fixtures/audit_kills.ts";
import { seeded } from "../fixtures/daemon_kills.ts";
import { inTempDir, readEvents } from "./sample.ts";

const PROGRAM = new URL("./writer_process.ts", import.meta.url).pathname;

function spawn(dir: string, name: string, count: number, detailLength: number): Deno.ChildProcess {
  const words = [`${dir}/audit/audit.jsonl`, `${dir}/keys/audit.key`, name, count, detailLength];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", PROGRAM, ...words.map(String)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Reads what a writer acknowledged until it was `enough`, or to the end. */
async function acknowledged(
  output: ReadableStream<Uint8Array>,
  enough: number,
  onEnough?: () => void,
): Promise<number> {
  let last = 0;
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    last = Number(lines.at(-1) ?? last);
    if (last >= enough) onEnough?.();
  }
  return last;
}

async function keyOf(dir: string): Promise<SigningKey> {
  return unwrap(await loadOrCreateSigningKey(`${dir}/keys/audit.key`));
}

/** The numbers of the events of each writer, in the order of the log. */
async function numbersByWriter(file: string): Promise<Map<string, number[]>> {
  const numbers = new Map<string, number[]>();
  for (const { kind, event_id } of await readEvents(file)) {
    if (kind !== "decision") continue;
    const [, name, number] = event_id.split("_");
    const list = numbers.get(name!) ?? [];
    numbers.set(name!, list);
    list.push(Number(number));
  }
  return numbers;
}

Deno.test("AuditWriter shares a log with other processes, under load and from the first use", () =>
  inTempDir(async (dir) => {
    const count = 2_500;
    const writers = ["a", "b", "c"].map((name) => spawn(dir, name, count, 100));
    await Promise.all(writers.map(async (writer) => {
      const total = await acknowledged(writer.stdout, Infinity);
      assert.ok((await writer.status).success);
      assert.equal(total, count);
    }));
    const file = `${dir}/audit/audit.jsonl`;
    const report = unwrap(await verifyLog(file, { publicKeys: [(await keyOf(dir)).publicKey] }));
    assert.deepEqual(report, {
      file,
      whole: true,
      lines: 3 * count + 1,
      checkpointSize: 3 * count + 1,
    });
    const inOrder = Array.from({ length: count }, (_, i) => i);
    for (const [name, numbers] of await numbersByWriter(file)) {
      assert.deepEqual(numbers, inOrder, `the order of writer ${name}`);
    }
  }));

Deno.test("AuditWriter recovers from kills at any moment, and no call left without its record", async () => {
  const seed = Math.floor(Math.random() * 1e6);
  const random = seeded(seed);
  await Promise.all([1, 2].map(async () => {
    await using kills = await AuditKills.create();
    for (let run = 0; run < 10; run++) {
      await kills.once(random).catch((cause) => {
        throw new Error(`seed ${seed}: ${cause.message}`, { cause });
      });
    }
    assert.ok(kills.told.calls > 0);
  }));
});

Deno.test("AuditWriter goes on beside a writer that is killed", () =>
  inTempDir(async (dir) => {
    const survivor = spawn(dir, "survivor", 4_000, 500);
    const victim = spawn(dir, "victim", 1_000_000, 500);
    const killed = acknowledged(victim.stdout, 1_000, () => {
      try {
        victim.kill("SIGKILL");
      } catch {
        // dead already
      }
    });
    assert.equal(await acknowledged(survivor.stdout, Infinity), 4_000);
    assert.ok((await survivor.status).success);
    const total = await killed;
    assert.equal((await victim.status).signal, "SIGKILL");
    const file = `${dir}/audit/audit.jsonl`;
    const key = await keyOf(dir);
    unwrap(await unwrap(await AuditWriter.open({ file, key })).close());
    const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
    assert.equal(report.whole, true, JSON.stringify(report));
    const numbers = await numbersByWriter(file);
    assert.equal(numbers.get("survivor")!.length, 4_000);
    assert.ok(numbers.get("victim")!.length >= total);
  }));

Deno.test("AuditWriter holds up no process that ends without closing it", () =>
  inTempDir(async (dir) => {
    const source = (path: string) => new URL(path, import.meta.url).href;
    const program = `
      const { AuditWriter } = await import("${source("../../src/audit/writer.ts")}");
      const { sampleDecision, sampleKey } = await import("${source("./sample.ts")}");
      const options = { file: "${dir}/audit.jsonl", key: await sampleKey("${dir}") };
      const { value } = await AuditWriter.open({ ...options, checkpointIntervalMs: 600_000 });
      value.append(sampleDecision());
      await value.flush();`;
    const command = new Deno.Command(Deno.execPath(), { args: ["eval", program] });
    assert.ok((await command.output()).success);
    const kinds = (await readEvents(`${dir}/audit.jsonl`)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["key", "decision"]);
  }));
