import type { Shim } from "../../shims/places.ts";
import type { ShimOrders } from "../../shims/shim_gate.ts";
import type { GateOrders } from "./exec_gate.ts";
import { programModule } from "../../../config/program_file.ts";
import { GateUnavailable, listenForExec } from "./listener.ts";
import { whyNoReading, whyNoTracing } from "./tracing.ts";
import type { GateReport } from "./worker/main.ts";

/** How long the thread may take to say that it has ended, in milliseconds. */
const END_MS = 1_000;

/** The thread of the gate, loading or loaded. */
export class GateThread {
  readonly #worker: Worker;
  readonly #ready: Promise<void>;
  readonly #shims: Promise<readonly Shim[]>;

  /** Resolves to why no program can be started any more. */
  readonly ended: Promise<string>;

  constructor() {
    this.#worker = new Worker(programModule("src/sandbox/init/gate/worker/main.ts"), {
      type: "module",
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ready = promise;
    promise.catch(() => {}); // told where it is awaited
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    this.ended = ended;
    const { promise: shims, resolve: standIn } = Promise.withResolvers<readonly Shim[]>();
    this.#shims = shims;
    this.#worker.onmessage = ({ data }: MessageEvent<GateReport>) => {
      if (data.kind === "ready") resolve();
      else if (data.kind === "shims") standIn(data.shims);
      else end(data.reason);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
      end(event.message);
    };
  }

  /** Ends the thread, where nothing is to be decided after all. */
  dismiss(): void {
    this.#worker.terminate();
  }

  /**
   * Has every program decided that this thread starts from now on, and all that those start.
   *
   * @throws {GateUnavailable} when the kernel does not let that happen.
   */
  async open(orders: Omit<GateOrders, "listener">): Promise<void> {
    await this.#ready;
    // The filter stays, whatever comes after it: first it is seen whether all the rest is there.
    const missing = whyNoTracing() ?? whyNoReading();
    if (missing !== undefined) throw new GateUnavailable(missing);
    const listener = listenForExec();
    this.#worker.postMessage({ ...orders, listener } satisfies GateOrders);
  }

  /**
   * Has governed programs decided by what stands in their places, once that is mounted there.
   *
   * @throws {GateUnavailable} when that cannot be done either.
   */
  async openShims(orders: ShimOrders): Promise<readonly Shim[]> {
    const missing = whyNoReading();
    if (missing !== undefined) throw new GateUnavailable(missing);
    this.#worker.postMessage(orders);
    const shims = await Promise.race([this.#shims, this.ended]);
    if (typeof shims === "string") throw new GateUnavailable(shims);
    return shims;
  }

  /** Why a program could not be started after `open()`: that of the gate, if it has ended. */
  async explain(cause: unknown): Promise<unknown> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), END_MS);
    const reason = await Promise.race([this.ended, late]);
    clearTimeout(timer);
    return reason === undefined ? cause : new GateUnavailable(reason);
  }
}
