/** Stands in for a data plane that says something and then breaks, in the way it is told. */
import { EventRing } from "../../../src/sidecar/worker/event_ring.ts";
import type { Ports, ToWorker } from "../../../src/sidecar/worker/messages.ts";

self.addEventListener("message", (event) => {
  const { control, events } = (event as MessageEvent<Ports>).data;
  const ring = new EventRing(events);
  let answers = new Int32Array(new SharedArrayBuffer(4));
  control.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === "ping") control.postMessage({ kind: "pong", number: data.number });
    if (data.kind === "start") answers = new Int32Array(data.gauge);
    if (data.kind !== "session-close") return;
    for (const id of ["1", "2", "3"]) {
      ring.write(JSON.stringify({ event_id: id, kind: "outcome" }));
    }
    if (data.sessionId === "go on") control.postMessage({ kind: "started" });
    if (data.sessionId === "throw") throw new Error("boom");
    if (data.sessionId === "reject") void Promise.reject(new Error("boom"));
    if (data.sessionId === "close") self.close();
    if (data.sessionId === "hang") { for (;;); }
    if (data.sessionId === "record") {
      // Each is answered for once it is written, as calls are.
      for (let id = 4; ring.write(JSON.stringify({ event_id: `${id}`, kind: "outcome" })); id++) {
        Atomics.add(answers, 0, 1);
      }
    }
  };
}, { once: true });
