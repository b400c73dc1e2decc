/** How long a call of the data plane waits until its record is where it has to be. */
import { join } from "node:path";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { AuditFeed } from "../../src/sidecar/audit_feed.ts";
import { AuditGauge } from "../../src/sidecar/worker/audit_gauge.ts";
import { EventRing } from "../../src/sidecar/worker/event_ring.ts";

/** What the thread that makes calls is told. */
export interface QueueingOrder {
  readonly ring: SharedArrayBuffer;
  readonly gauge: SharedArrayBuffer;
  readonly isDurable: boolean;
}

/** Microseconds from the record of a decision to the moment that its call may leave. */
export interface QueueingTimes {
  readonly p50_us: number;
  readonly p99_us: number;
}

/** Measures with a data plane in a thread of its own, while this one signs and writes. */
export async function queueing(
  dir: string,
  durability: "queued" | "durable",
): Promise<QueueingTimes> {
  const key = unwrap(await loadOrCreateSigningKey(join(dir, "audit.key")));
  const file = join(dir, `${durability}.jsonl`);
  const writer = unwrap(await AuditWriter.open({ file, key, durability }));
  const gauge = new AuditGauge();
  const ring = new EventRing(8 << 20);
  const feed = new AuditFeed(writer);
  feed.attach(gauge);
  const worker = new Worker(new URL("./calling_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<QueueingTimes>();
  worker.onerror = (event) => reject(new Error(event.message));
  worker.onmessage = ({ data }: MessageEvent<"read" | QueueingTimes>) => {
    if (data !== "read") return resolve(data);
    ring.rest();
    for (let text = ring.read(); text !== undefined; text = ring.read()) {
      feed.take(JSON.parse(text), gauge);
    }
  };
  const order: QueueingOrder = {
    ring: ring.buffer,
    gauge: gauge.buffer,
    isDurable: durability === "durable",
  };
  worker.postMessage(order);
  const times = await promise;
  worker.terminate();
  unwrap(await writer.close());
  return times;
}
