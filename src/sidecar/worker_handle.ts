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

/** Options of a {@linkcode WorkerHandle}. */
export interface WorkerHandleOptions {
  readonly permissions: Deno.PermissionOptionsObject;
  /**
   * How long a worker may leave a question unanswered before it is taken for dead, in milliseconds.
   * @default {10_000}
   */
  readonly silenceLimitMs?: number;
  /** The worker's program; for tests. @default {"worker/main.ts"} */
  readonly module?: URL;
}

const PINGS_PER_LIMIT = 10;
/** Loading the program takes its time on a loaded machine. */
const START_LIMIT_MS = 30_000;

/** A data-plane worker as the main thread holds it. */
export class WorkerHandle {
  readonly #owner: WorkerOwner;
  readonly #worker: Worker;
  readonly #control: MessagePort;
  readonly #events: MessagePort;
  readonly #pinger: ReturnType<typeof setInterval>;
  readonly #silenceLimitMs: number;
  /** When the worker last answered, or was made; the limit holds from there. */
  #lastSign = performance.now();
  #limitMs = START_LIMIT_MS;
  #pings = 0;
  #ended = false;

  constructor(options: WorkerHandleOptions, owner: WorkerOwner) {
    this.#owner = owner;
    this.#silenceLimitMs = options.silenceLimitMs ?? 10_000;
    this.#worker = new Worker(options.module ?? new URL("./worker/main.ts", import.meta.url), {
      type: "module",
      name: "firma-data-plane",
      deno: { permissions: options.permissions },
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
      if (data.kind === "pong") this.#answered();
      else if (!this.#ended) owner.message(data);
    };
    this.#events.onmessage = ({ data }: MessageEvent<EventBatch>) => {
      if (!this.#ended) owner.events(data);
    };
    const ports: Ports = { control: control.port2, events: events.port2 };
    this.#worker.postMessage(ports, [ports.control, ports.events]);
    this.#pinger = setInterval(
      () => this.#checkPulse(),
      this.#silenceLimitMs / PINGS_PER_LIMIT,
    );
    this.#checkPulse();
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
    for (let batch = waitingBatch(this.#events); batch; batch = waitingBatch(this.#events)) {
      this.#owner.events(batch);
    }
  }

  #answered(): void {
    this.#lastSign = performance.now();
    this.#limitMs = this.#silenceLimitMs;
  }

  #checkPulse(): void {
    if (performance.now() - this.#lastSign > this.#limitMs) {
      this.#die(`no answer for ${this.#limitMs / 1000} seconds`);
    } else {
      this.post({ kind: "ping", number: ++this.#pings });
    }
  }
}

function waitingBatch(port: MessagePort): EventBatch | undefined {
  try {
    return receiveMessageOnPort(port as unknown as NodeMessagePort)?.message as EventBatch;
  } catch (cause) {
    // A port whose other end is gone has closed once everything in it was read.
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
}
