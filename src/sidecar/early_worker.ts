import type { Environment } from "../config/paths.ts";
import { readGroundwork } from "./prepare.ts";
import { SpareWorker } from "./spare_worker.ts";

/**
 * The worker that a run will probably need, set going before the run has said what to serve: it has
 * found a configuration, and looks whether it may use it while the worker loads. Nothing of the
 * configuration is used but what the worker may reach; everything is read again once it is to be
 * served, and a worker that may reach anything else is ended.
 */
export class EarlyWorker {
  /** Resolves when the worker is loading, or will not be made; never rejects. */
  readonly begun: Promise<void>;
  #worker: SpareWorker | undefined;
  #isTooLate = false;

  constructor(configFile: string, runDirectory: string, env: Environment) {
    this.begun = this.#begin(configFile, runDirectory, env);
  }

  async #begin(configFile: string, runDirectory: string, env: Environment): Promise<void> {
    try {
      const read = await readGroundwork({ configFile, runDirectory, env });
      if (this.#isTooLate || !read.ok || read.value.permissions === undefined) return;
      this.#worker = new SpareWorker(read.value.permissions);
    } catch {
      // Whoever is told to serve it says what is wrong with it.
    }
  }

  /** The worker, if there is one by now; there will be none later. */
  take(): SpareWorker | undefined {
    this.#isTooLate = true;
    return this.#worker;
  }
}
