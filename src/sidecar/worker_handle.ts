import { after, every } from "../core/after.ts";
import type { ExecutionEvent } from "../core/event.ts";
import { newWorker } from "./spare_worker.ts";
import { EventRing } from "./worker/event_ring.ts";
import type { FromWorker, Ports, ToWorker } from "./worker/messages.ts";

/** What a {@linkcode WorkerHandle} tells its owner. */
export interface WorkerOwner {
  /** Everything that the worker had recorded before it said this was handed over. */
  message(message: FromWorker): void;
  event(event: ExecutionEvent): void;
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
  /** A worker with these permissions that was made already. @default {undefined} one is made */
  readonly worker?: Worker | undefined;
  /** The worker's program; for tests. @default {"worker/main.ts"} */
  readonly module?: URL;
}

const PINGS_PER_LIMIT = 10;
/** A few thousand events; an event may take a sixth of it for certain. */
const RING_BYTES = 4_194_304;
/** While calls come, reading at intervals costs less than being called for each. */
const READ_INTERVAL_MS = 1;
/** Loading the program takes its time on a loaded machine. */
const START_LIMIT_MS = 30_000;

/** A data-plane worker as the main thread holds it. */
export class WorkerHandle {
  readonly #owner: WorkerOwner;
  readonly #worker: Worker;
  readonly #control: MessagePort;
  readonly #events = new EventRing(RING_BYTES);
  readonly #stopPinging: () => void;
  readonly #silenceLimitMs: number;
  /** When the worker last answered, or was made; the limit holds from there. */
  #lastSign = performance.now();
  #limitMs = START_LIMIT_MS;
  #pings = 0;
  #suspect = false;
  /** Calls off the next look into the ring. */
  #stopReading: (() => void) | undefined;
  #ended = false;

  constructor(options: WorkerHandleOptions, owner: WorkerOwner) {
    this.#owner = owner;
    this.#silenceLimitMs = options.silenceLimitMs ?? 10_000;
    this.#worker = options.worker ?? newWorker(options.permissions, options.module);
    const control = new MessageChannel();
    this.#control = control.port1;
    this.#worker.onerror = (event) => {
      // Otherwise the error of the worker would end the whole Sidecar.
      event.preventDefault();
      this.#die(event.message);
    };
    this.#control.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (this.#ended) return;
      if (data.kind === "pong") return this.#answered();
      this.#deliver();
      if (data.kind === "events") this.#readAgainSoon();
      else owner.message(data);
    };
    const ports: Ports = { control: control.port2, events: this.#events.buffer };
    this.#worker.postMessage(ports, [ports.control]);
    this.#stopPinging = every(
      this.#silenceLimitMs / PINGS_PER_LIMIT,
      () => this.#checkPulse(),
    );
    this.#checkPulse();
  }

  /** Sends an order. */
  post(message: ToWorker): void {
    if (this.#ended) return;
    const transferred = message.kind === "broker" && message.port ? [message.port] : [];
    this.#control.postMessage(message, transferred);
  }

  /**
   * Ends the worker at once. What it had said before still reaches the owner, before this returns.
   * The worker goes on to the end of what it is at; what it would have to record then it does not do.
   */
  end(): void {
    if (this.#ended) return;
    this.#stopPinging();
    this.#stopReading?.();
    this.#events.close();
    this.#worker.terminate();
    this.#deliver();
    this.#ended = true;
    this.#control.close();
  }

  #die(reason: string): void {
    if (this.#ended) return;
    this.end();
    this.#owner.died(reason);
  }

  /** Hands over what is in the ring; tells whether there was anything. */
  #deliver(): boolean {
    let text = this.#events.read();
    if (text === undefined) return false;
    for (; text !== undefined; text = this.#events.read()) {
      this.#owner.event(JSON.parse(text));
    }
    return true;
  }

  #readAgainSoon(): void {
    this.#stopReading?.();
    this.#stopReading = after(READ_INTERVAL_MS, () => {
      if (this.#deliver()) return this.#readAgainSoon();
      this.#events.rest();
      this.#deliver();
    });
  }

  #answered(): void {
    this.#lastSign = performance.now();
    this.#suspect = false;
    this.#limitMs = this.#silenceLimitMs;
  }

  #checkPulse(): void {
    const silent = performance.now() - this.#lastSign > this.#limitMs;
    if (silent && !this.#suspect) {
      // It may be this thread that was held up, and the answer waits to be read: look once more.
      this.#suspect = true;
      this.post({ kind: "ping", number: ++this.#pings });
    } else if (silent) {
      this.#die(`no answer for ${this.#limitMs / 1000} seconds`);
    } else {
      this.post({ kind: "ping", number: ++this.#pings });
    }
  }
}
