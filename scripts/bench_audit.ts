/**
 * How many events a second one core appends to an audit log, what `append`
 * costs its caller, where the time goes, how fast a log is verified, and how long a call of the data
 * plane waits for its record; the best of several rounds of each. Prints one JSON object. Run: `deno run -A scripts/bench_audit.ts [events]`.
 */
import { createPublicKey, hash, sign, verify } from "node:crypto";
import process from "node:process";
import { canonicalJson } from "../src/audit/canonical_json.ts";
import { chainEvents, GENESIS } from "../src/audit/chain.ts";
import { KeyBatches } from "../src/audit/ed25519/key_batches.ts";
import { redactEvent } from "../src/audit/redact_event.ts";
import { verifyLog } from "../src/audit/verify.ts";
import { AuditWriter } from "../src/audit/writer.ts";
import type { DecisionEvent, ExecutionEvent } from "../src/core/event.ts";
import { unwrap } from "../src/core/result.ts";
import { loadOrCreateSigningKey } from "../src/pki/signing_key.ts";
import { decision, outcome } from "./bench_audit/event.ts";
import { queueing } from "./bench_audit/queueing.ts";

/** Events appended before the next ones wait for them. */
const WAVE = 4_000;

/** Microseconds of CPU time that one run of `body` takes, the best of five rounds. */
function microseconds(body: () => void, rounds = 2_000): number {
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < rounds; i++) body();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / rounds);
  }
  return Math.round(best * 10) / 10;
}

/** As many as a file of 100 MiB holds, at which a log goes on in the next one. */
const EVENTS = 100_000;

const count = Math.ceil(Number(Deno.args[0] ?? EVENTS) / WAVE) * WAVE;
const dir = await Deno.makeTempDir({ prefix: "firma-bench-" });
try {
  const key = unwrap(await loadOrCreateSigningKey(`${dir}/audit.key`));
  const file = `${dir}/audit.jsonl`;
  // As many as may wait in a Sidecar; more would measure the garbage collector.
  const wave: ExecutionEvent[] = [];
  while (wave.length < WAVE) {
    const decided = decision(wave.length);
    wave.push(decided, outcome(decided));
  }

  const writer = unwrap(await AuditWriter.open({ file, key, capacity: wave.length }));
  let appendUs = Infinity;
  let wallUs = Infinity;
  let cpuUs = Infinity;
  for (let done = 0; done < count; done += WAVE) {
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    for (const event of wave) {
      if (!writer.append(event)) throw new Error("Cannot append: the queue is full");
    }
    const appended = performance.now();
    unwrap(await writer.flush());
    const { user, system } = process.cpuUsage(cpuBefore);
    appendUs = Math.min(appendUs, (appended - started) * 1000 / WAVE);
    wallUs = Math.min(wallUs, (performance.now() - started) * 1000 / WAVE);
    cpuUs = Math.min(cpuUs, (user + system) / WAVE);
  }
  unwrap(await writer.close());

  const verified = async (workers: number) => {
    const started = performance.now();
    const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey], workers }));
    if (!report.whole) throw new Error(`Cannot verify the log: ${report.broken?.reason}`);
    return Math.round(report.lines / (performance.now() - started) * 1_000);
  };
  const bestOf = async (workers: number) =>
    Math.max(await verified(workers), await verified(workers), await verified(workers));

  const sample = decision(1);
  const line = chainEvents([sample], GENESIS, key.privateKey).bytes;
  const events = new Array<DecisionEvent>(64).fill(sample);
  const publicKey = createPublicKey(key.privateKey);
  const signature = sign(null, line, key.privateKey);
  const started = performance.now();
  const batch = new KeyBatches(1).after(key.publicKey)!;
  const tablesMs = performance.now() - started;
  const verifyWithTables = microseconds(() => batch.add(line, signature));
  if (!batch.settle()) throw new Error("Cannot verify a signature with tables: it says no");
  console.log(JSON.stringify(
    {
      events: count,
      bytes_per_event: Math.round((await Deno.stat(file)).size / count),
      events_per_second: Math.round(1e6 / wallUs),
      events_per_cpu_second: Math.round(1e6 / cpuUs),
      append_us: Math.round(appendUs * 100) / 100,
      verified_per_second: await bestOf(0),
      verified_per_second_with_2_workers: await bestOf(2),
      queueing_at_2000_calls_per_second: {
        queued: await queueing(dir, "queued"),
        durable: await queueing(dir, "durable"),
      },
      decision_us: {
        redact: microseconds(() => redactEvent(sample)),
        canonical_json: microseconds(() => canonicalJson(sample)),
        sign: microseconds(() => sign(null, line, key.privateKey)),
        hash: microseconds(() => hash("sha256", line, "hex")),
        whole: Math.round(
          microseconds(() => chainEvents(events, GENESIS, key.privateKey), 100) / 6.4,
        ) / 10,
      },
      signature_us: {
        verify: microseconds(() => verify(null, line, publicKey, signature)),
        verify_with_tables: verifyWithTables,
        make_tables: Math.round(1_000 * tablesMs),
      },
    },
    null,
    2,
  ));
} finally {
  await Deno.remove(dir, { recursive: true });
}
