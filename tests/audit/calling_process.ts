/**
 * A process that lets calls out one after the other, as a Sidecar does, for tests that need a real
 * one to kill: `<log> <key> <name> <durability> <packing>`. Its standard output is the upstream: it
 * gets the `event_id` of each call that left; where the log is not durable, of each whose record was
 * acknowledged.
 */
import type { Packing } from "../../src/audit/closed_file.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { AuditFeed } from "../../src/sidecar/audit_feed.ts";
import { AuditGauge } from "../../src/sidecar/worker/audit_gauge.ts";
import { EventQueue } from "../../src/sidecar/worker/event_queue.ts";
import { EventRing } from "../../src/sidecar/worker/event_ring.ts";
import { numberedDecision, sampleOutcome } from "./sample.ts";

/** Calls at the same time. */
const CALLERS = 16;

const [file, keyFile, name, mode, packing] = Deno.args;
const isDurable = mode === "durable";
const key = unwrap(await loadOrCreateSigningKey(keyFile!));
const writer = unwrap(
  await AuditWriter.open({
    file: file!,
    key,
    durability: isDurable ? "durable" : "queued",
    packing: packing as Packing,
    rotation: { maxBytes: 100_000 },
    checkpointIntervalMs: 20,
  }),
);
const gauge = new AuditGauge();
const ring = new EventRing(1 << 20);
const feed = new AuditFeed(writer);
feed.attach(gauge);
const read = () => {
  ring.rest();
  for (let text = ring.read(); text !== undefined; text = ring.read()) {
    feed.take(JSON.parse(text), gauge);
  }
};
const queue = new EventQueue(ring, gauge, 1_024, () => setTimeout(read, 0), isDurable);
const encoder = new TextEncoder();
const leave = (id: string) => Deno.stdout.writeSync(encoder.encode(`${id}\n`));
let number = 0;
const pushed: string[] = [];
let acknowledged = 0;
if (!isDurable) {
  writer.onAcknowledged((count) => {
    while (acknowledged < count) leave(pushed[acknowledged++]!);
  });
}

// Waiting for shared memory keeps no process going; a worker has its port.
setInterval(() => {}, 1_000);

async function call(): Promise<void> {
  const decision = numberedDecision(number++, name);
  // Now and then a long record: a kill in the middle of a write is likelier.
  const detail = number % 7 === 0 ? "x".repeat(8_000) : "";
  queue.push({ ...decision, detail }, "now");
  pushed.push(decision.event_id);
  const recorded = queue.recorded();
  if (recorded !== undefined) {
    if (!await recorded) return;
    leave(decision.event_id);
  }
  const outcome = sampleOutcome({ event_id: `of_${decision.event_id}` });
  queue.push({ ...outcome, decision_event_id: decision.event_id }, "soon");
  pushed.push(outcome.event_id);
  await new Promise((resolve) => setTimeout(resolve, 0));
}

await Promise.all(Array.from({ length: CALLERS }, async () => {
  for (;;) {
    if (queue.accepts()) await call();
    else await new Promise((resolve) => setTimeout(resolve, 1));
  }
}));
