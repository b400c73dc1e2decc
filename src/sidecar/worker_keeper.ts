import { after } from "../core/after.ts";
import type { ExecutionEvent } from "../core/event.ts";
import type { AuditFeed } from "./audit_feed.ts";
import type { SocketPool } from "./socket_pool.ts";
import { planePermissions, type SpareWorker } from "./spare_worker.ts";
import { AuditGauge } from "./worker/audit_gauge.ts";
import { cedarMemory, fillCedarMemory } from "./worker/cedar_memory.ts";
import type { FromWorker, MappingSource, ToWorker, WorkerConfig } from "./worker/messages.ts";
import { WorkerHandle } from "./worker_handle.ts";

/** What a worker is started with. */
export interface Orders {
  readonly config: WorkerConfig;
  readonly mapping: readonly MappingSource[];
  /** The hosts that `mapping` names: with `config` they say what the worker may reach. */
  readonly hosts: readonly string[];
}

/** Cedar's WebAssembly: how large it is, and its bytes. */
export interface CedarSource {
  readonly size: () => number;
  readonly read: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** What a worker says once it works. */
export type Report = Exclude<
  FromWorker,
  { readonly kind: "started" | "start-failed" | "cedar-wanted" | "pong" }
>;

/** What keeping a worker needs. */
export interface WorkerKeeperOptions {
  readonly sockets: SocketPool;
  /** Becomes the first worker, where it may do just what that worker is to. */
  readonly spare?: SpareWorker | undefined;
  /** Read when a worker asks for it. While it cannot be, nothing is decided that needs it. */
  readonly cedar: CedarSource;
  readonly audit: AuditFeed;
  /** Asked for each worker. */
  readonly orders: () => Orders;
  /** A worker takes orders; it was started with `orders`, which may have changed since. */
  readonly started: (orders: Orders) => void;
  /** Everything that the worker had recorded before it said this was handed over. */
  readonly received: (report: Report, reply: (message: ToWorker) => void) => void;
  readonly event: (event: ExecutionEvent) => void;
  /** The worker is gone with all it did; another one is on its way unless this was `stop`. */
  readonly ended: (reason: string) => void;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
/** A worker that lived this long was healthy: the next one starts at once. */
const HEALTHY_MS = 10_000;

/** Keeps a worker going: where one ends, whatever ended it, another one takes its place. */
export class WorkerKeeper {
  readonly #options: WorkerKeeperOptions;
  #worker: WorkerHandle | undefined;
  #gauge = new AuditGauge();
  /** What wakes the worker, should it sleep until Cedar is there. */
  #memory: SharedArrayBuffer | undefined;
  /** Whether the worker takes orders. */
  #serving = false;
  #permissions = "";
  #startedAt = 0;
  #retryMs = FIRST_RETRY_MS;
  #callOffRetry: (() => void) | undefined;
  #stopped = false;

  constructor(options: WorkerKeeperOptions) {
    this.#options = options;
  }

  /** Whether there is a worker that takes orders. */
  get serving(): boolean {
    return this.#serving;
  }

  /** How many denials could not be recorded since the last time this was asked. */
  takeLost(): number {
    return this.#gauge.takeLost();
  }

  /** Builds a worker, and does not wait until it takes orders. */
  async build(): Promise<void> {
    const { sockets, cedar, audit, spare, orders: ask } = this.#options;
    await sockets.clear();
    if (this.#stopped) return;
    this.#startedAt = performance.now();
    const gauge = this.#gauge = new AuditGauge();
    audit.attach(gauge);
    const orders = ask();
    const permissions = this.#permissionsOf(orders);
    this.#permissions = JSON.stringify(permissions);
    const memory = this.#memory = cedarMemory(cedar.size());
    const worker = new WorkerHandle({ permissions, worker: spare?.take(permissions) }, {
      message: (message) =>
        message.kind === "cedar-wanted"
          ? this.#layCedar(memory)
          : this.#receive(worker, orders, message),
      event: (event) => {
        this.#options.event(event);
        audit.take(event, gauge);
      },
      died: (reason) => this.#succeed(reason),
    });
    this.#worker = worker;
    const { config, mapping } = orders;
    worker.post({ kind: "start", config, mapping, cedar: memory, gauge: gauge.buffer });
  }

  #layCedar(memory: SharedArrayBuffer): void {
    this.#options.cedar.read().then(
      (bytes) => fillCedarMemory(memory, bytes),
      () => fillCedarMemory(memory, undefined),
    );
  }

  /** Tells the worker, when there is one; the next one is told by whoever hears that it started. */
  send(message: ToWorker): void {
    if (this.#serving) this.#worker?.post(message);
  }

  /** Whether the worker may reach just what `orders` want. */
  fits(orders: Orders): boolean {
    return this.#permissions === JSON.stringify(this.#permissionsOf(orders));
  }

  /** Ends the worker and builds another. */
  replace(reason: string): void {
    if (this.#worker === undefined) return;
    this.#worker.end();
    this.#succeed(reason);
  }

  /** Ends the worker for good. */
  stop(): void {
    this.#stopped = true;
    this.#callOffRetry?.();
    this.#worker?.end();
    this.#wake();
    this.#serving = false;
    this.#options.ended("the Sidecar has ended");
    this.#options.audit.detach(this.#gauge);
  }

  #permissionsOf({ hosts, config }: Orders): Deno.PermissionOptionsObject {
    return planePermissions(hosts, config, this.#options.sockets);
  }

  #receive(
    worker: WorkerHandle,
    orders: Orders,
    message: Exclude<FromWorker, { readonly kind: "cedar-wanted" }>,
  ): void {
    switch (message.kind) {
      case "started":
        this.#serving = true;
        return this.#options.started(orders);
      case "start-failed":
        worker.end();
        return this.#succeed(message.errors.map((error) => error.message).join("; "));
      case "pong":
        return;
      default:
        return this.#options.received(message, (reply) => worker.post(reply));
    }
  }

  /** A thread that sleeps does not hear that it is to end. */
  #wake(): void {
    if (this.#memory) fillCedarMemory(this.#memory, undefined);
    this.#memory = undefined;
  }

  /** Follows a worker that ended, whatever ended it. */
  #succeed(reason: string): void {
    this.#wake();
    this.#worker = undefined;
    this.#serving = false;
    this.#options.ended(reason);
    this.#options.audit.detach(this.#gauge);
    if (performance.now() - this.#startedAt > HEALTHY_MS) this.#retryMs = FIRST_RETRY_MS;
    const wait = this.#retryMs;
    this.#retryMs = Math.min(wait * 2, LAST_RETRY_MS);
    this.#callOffRetry = after(wait, () => {
      this.build().catch((cause) => {
        if (!this.#stopped) this.#succeed(`cannot start: ${cause}`);
      });
    });
  }
}
