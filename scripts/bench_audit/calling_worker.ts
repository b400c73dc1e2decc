/** A thread that records calls as the data plane does, 2,000 a second. */
import { AuditGauge } from "../../src/sidecar/worker/audit_gauge.ts";
import { EventQueue } from "../../src/sidecar/worker/event_queue.ts";
import { EventRing } from "../../src/sidecar/worker/event_ring.ts";
import { decision, outcome } from "./event.ts";
import type { QueueingOrder, QueueingTimes } from "./queueing.ts";

const CALLS = 8_000;
/** Not measured: code that is new is slow. */
const WARM_UP = 2_000;
const EVERY_MS = 0.5;

const channel = self as unknown as {
  postMessage(message: "read" | QueueingTimes): void;
};

async function measure({ ring, gauge, isDurable }: QueueingOrder): Promise<QueueingTimes> {
  const queue = new EventQueue(
    new EventRing(ring),
    new AuditGauge(gauge),
    4_096,
    () => channel.postMessage("read"),
    isDurable,
  );
  const times: number[] = [];
  const waiting: Promise<void>[] = [];
  const start = performance.now();
  for (let call = 0; call < CALLS;) {
    for (; call < CALLS && performance.now() - start >= call * EVERY_MS; call++) {
      const decided = decision(call);
      const before = performance.now();
      await queue.relief();
      if (!queue.accepts()) throw new Error("the log does not keep up");
      queue.push(decided, "now");
      const recorded = queue.recorded();
      const done = () => {
        if (call >= WARM_UP) times.push((performance.now() - before) * 1_000);
      };
      if (recorded === undefined) done();
      else waiting.push(recorded.then(done));
      queue.push(outcome(decided), "soon");
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(waiting);
  times.sort((one, other) => one - other);
  const at = (share: number) => Math.round(times[Math.floor(share * times.length)]!);
  return { p50_us: at(0.5), p99_us: at(0.99) };
}

self.addEventListener("message", async (event) => {
  channel.postMessage(await measure((event as MessageEvent<QueueingOrder>).data));
}, { once: true });
