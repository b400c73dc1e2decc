import { receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort as NodeMessagePort } from "node:worker_threads";
import type { EventBatch, FromWorker, Ports, ToWorker } from "./worker/messages.ts";

/** What a {@linkcode WorkerHandle} tells its owner. */
export interface WorkerOwner {
  message(message: FromWorker): void;
  events(batch: EventBatch): void;
  /** The worker ended by itself or hangs; called at most once, and never after `end`. */
  died(reason: string): void;
}

const PING_INTERVAL_MS = 1_000;
/** A worker that does not answer for so long is taken for dead. */
const SILENCE_LIMIT_MS = 10_000;

/** A data-plane worker as the main thread holds it. */
export class WorkerHandle {
  readonly #owner: WorkerOwner;
  readonly #worker: Worker;
  readonly #control: MessagePort;
  readonly #events: MessagePort;
  readonly #pinger: ReturnType<typeof setInterval>;
  #lastPong = performance.now();
  #pings = 0;
  #ended = false;

  constructor(permissions: Deno.PermissionOptionsObject, owner: WorkerOwner) {
    this.#owner = owner;
    this.#worker = new Worker(new URL("./worker/main.ts", import.meta.url), {
      type: "module",
      name: "firma-data-plane",
      deno: { permissions },
    });
    const control = new MessageChannel();
    const events = new MessageChannel();
    this.#control = control.port1;
    this.#events = events.port1;
    this.#worker.onerror = (event) => {
      // Otherwise the error of the worker would end the whole Sidecar.
      event.preventDefault();
      this.#die(event.message);
    };
    this.#control.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "pong") this.#lastPong = performance.now();
      else if (!this.#ended) owner.message(data);
    };
    this.#events.onmessage = ({ data }: MessageEvent<EventBatch>) => {
      if (!this.#ended) owner.events(data);
    };
    const ports: Ports = { control: control.port2, events: events.port2 };
    this.#worker.postMessage(ports, [ports.control, ports.events]);
    this.#pinger = setInterval(() => this.#checkPulse(), PING_INTERVAL_MS);
  }

  /** Sends an order. */
  post(message: ToWorker): void {
    if (!this.#ended) this.#control.postMessage(message);
  }

  /** Ends the worker at once. What it had said before still reaches the owner, before this returns. */
  end(): void {
    if (this.#ended) return;
    clearInterval(this.#pinger);
    this.#worker.terminate();
    this.#drain();
    this.#ended = true;
    this.#control.close();
    this.#events.close();
  }

  #die(reason: string): void {
    if (this.#ended) return;
    this.end();
    this.#owner.died(reason);
  }

  /** Takes the events that the worker handed over and nobody has read. */
  #drain(): void {
    const port = this.#events as unknown as NodeMessagePort;
    for (;;) {
      const waiting = receiveMessageOnPort(port);
      if (waiting === undefined) return;
      this.#owner.events(waiting.message as EventBatch);
    }
  }

  #checkPulse(): void {
    if (performance.now() - this.#lastPong > SILENCE_LIMIT_MS) {
      this.#die(`no answer for ${SILENCE_LIMIT_MS / 1000} seconds`);
    } else {
      this.post({ kind: "ping", number: ++this.#pings });
    }
  }
}
