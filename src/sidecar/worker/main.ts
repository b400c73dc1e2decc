/**
 * The data plane: a worker that parses, decides and forwards, and that holds no
 * permission beyond that (`permissions.ts`). It starts empty; the main thread
 * tells it everything by message.
 */
import { errorPlace } from "../../core/error_place.ts";
import { DataPlaneWorker } from "./data_plane_worker.ts";
import { EventRing } from "./event_ring.ts";
import type { Ports } from "./messages.ts";

// An operation that this worker may not do, or a call that broke, ends that call
// and not all the others: the gate denied it, or the transport closed it already.
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  console.error(`data plane: unhandled rejection: ${errorPlace(event.reason)}`);
});

self.addEventListener("message", (event) => {
  const { control, events } = (event as MessageEvent<Ports>).data;
  new DataPlaneWorker(control, new EventRing(events)).listen();
}, { once: true });
