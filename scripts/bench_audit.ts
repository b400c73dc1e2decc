/**
 * How many events a second one core appends to an audit log, what `append`
 * costs its caller, where the time goes, and how fast a log is verified; the best
 * of several rounds of each. Prints one JSON object. Run: `deno run -A scripts/bench_audit.ts [events]`.
 */
import { createPublicKey, hash, sign, verify } from "node:crypto";
import process from "node:process";
import { canonicalJson } from "../src/audit/canonical_json.ts";
import { chainEvents, GENESIS } from "../src/audit/chain.ts";
import { redactEvent } from "../src/audit/redact_event.ts";
import { verifyLog } from "../src/audit/verify.ts";
import { AuditWriter } from "../src/audit/writer.ts";
import type { ActionClass } from "../src/core/action_class.ts";
import type { DecisionEvent, ExecutionEvent, OutcomeEvent } from "../src/core/event.ts";
import { newId } from "../src/core/id.ts";
import { unwrap } from "../src/core/result.ts";
import { timestamp } from "../src/core/timestamp.ts";
import { loadOrCreateSigningKey } from "../src/pki/signing_key.ts";

/** Events appended before the next ones wait for them. */
const WAVE = 4_000;

const ids = {
  sandbox_id: newId("sbx"),
  session_id: newId("ses"),
  agent_id: newId("agt"),
};

/** A decision with all that a real one carries. */
function decision(number: number): DecisionEvent {
  const path = `/repos/firma/firma/contents/src/file_${number}.ts`;
  const token = "ctok_01jd0000000000000000000000";
  return {
    ...ids,
    kind: "decision",
    event_id: newId("aevt"),
    timestamp: timestamp(),
    decision: "ALLOW",
    deny_reason: "",
    detail: "",
    action_class: "code.read",
    resource: `api.github.invalid${path}?ref=main&access_token=hunter2`,
    method: "GET",
    token_id: token,
    bundle_version: "0123456789abcdef",
    policy_ids: ["dev.cedar#4"],
    latency_us: 31,
    envelope: {
      intent: {
        action_class: "code.read" as ActionClass,
        resource: {
          id: `api.github.invalid${path}`,
          host: "api.github.invalid",
          path,
          method: "GET",
        },
        raw_transport: "https",
        raw_action_ref: "mappings/github.toml:12",
        attributes: { git_ref: "refs/heads/main" },
      },
      capability: { token_id: token, agent_id: ids.agent_id },
      metadata: {
        session_id: ids.session_id,
        timestamp_ms: Date.now(),
        session_started_ms: Date.now() - 60_000,
        action_count: number,
        deny_count: 3,
        prior_action_classes: ["code.read", "code.read", "system.install"],
        last_resource: "registry.invalid/hono",
      },
      provenance: { pid: 4711, executable: "/usr/bin/node", via: "proxy" },
    },
  };
}

function outcome(of: DecisionEvent): OutcomeEvent {
  return {
    ...ids,
    kind: "outcome",
    event_id: newId("aevt"),
    timestamp: timestamp(),
    decision_event_id: of.event_id,
    status: 200,
    abort_reason: "",
    detail: "",
    request_bytes: 0,
    response_bytes: 4711,
    head_latency_us: 20_123,
    latency_us: 40_321,
  };
}

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

const count = Math.ceil(Number(Deno.args[0] ?? 40_000) / WAVE) * WAVE;
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

  const verifyStarted = performance.now();
  const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
  const verifySeconds = (performance.now() - verifyStarted) / 1000;
  if (!report.whole) throw new Error(`Cannot verify the log: ${report.broken?.reason}`);

  const sample = decision(1);
  const line = chainEvents([sample], GENESIS, key.privateKey).bytes;
  const batch = new Array<DecisionEvent>(64).fill(sample);
  const publicKey = createPublicKey(key.privateKey);
  const signature = sign(null, line, key.privateKey);
  console.log(JSON.stringify(
    {
      events: count,
      bytes_per_event: Math.round((await Deno.stat(file)).size / count),
      events_per_second: Math.round(1e6 / wallUs),
      events_per_cpu_second: Math.round(1e6 / cpuUs),
      append_us: Math.round(appendUs * 100) / 100,
      verified_per_second: Math.round(report.lines / verifySeconds),
      decision_us: {
        redact: microseconds(() => redactEvent(sample)),
        canonical_json: microseconds(() => canonicalJson(sample)),
        sign: microseconds(() => sign(null, line, key.privateKey)),
        hash: microseconds(() => hash("sha256", line, "hex")),
        whole: Math.round(
          microseconds(() => chainEvents(batch, GENESIS, key.privateKey), 100) / 6.4,
        ) / 10,
        verify: microseconds(() => verify(null, line, publicKey, signature)),
      },
    },
    null,
    2,
  ));
} finally {
  await Deno.remove(dir, { recursive: true });
}
