import type { FirmaError } from "../core/result.ts";
import type { AttachedSinks } from "./attached_sinks.ts";
import { closedFiles, type Packing } from "./closed_file.ts";
import { asLogError } from "./log_fault.ts";
import { packClosed, removeLeftovers } from "./packing.ts";
import { removeClosed, type RetentionLimits, type Surplus, surplusFiles } from "./retention.ts";

/** What becomes of closed files. */
export interface HousekeepingOptions {
  readonly log: string;
  readonly packing: Packing;
  readonly retention: RetentionLimits;
  readonly sinks: AttachedSinks;
  /** Hears what could not be done; it is tried again later. */
  readonly onTrouble: (error: FirmaError) => void;
}

/** How often it is looked whether files have become too old, in milliseconds. */
const LOOK_MS = 3_600_000;

/** Compresses and drops closed files. What it drops is on record before it is gone. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #stopping = new AbortController();
  #dueAt = 0;
  #packing: Promise<void> | undefined;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** Whether it is time to look. */
  get isDue(): boolean {
    return performance.now() >= this.#dueAt;
  }

  /** A file was closed: look soon. */
  hurry(): void {
    this.#dueAt = 0;
  }

  /**
   * Drops what is not to be kept, once `record` has put on the disk that it is so, and sets off
   * the compression of the rest. Throws what `record` throws.
   */
  async look(record: (surplus: Surplus) => Promise<void>): Promise<void> {
    const { log, packing, retention, sinks, onTrouble } = this.#options;
    this.#dueAt = performance.now() + LOOK_MS;
    const surplus = this.#attempt(() => surplusFiles(log, retention, sinks.oldestNeeded()));
    if (surplus !== undefined) {
      await record(surplus);
      for (const file of surplus.files) {
        this.#attempt(() => {
          removeClosed(file);
          const { path, first, last } = file;
          sinks.filesChanged({ kind: "dropped", file: path, first, last });
        });
      }
    }
    if (packing === "plain" || this.#packing !== undefined) return;
    this.#packing = this.#pack(packing)
      .catch((cause) => onTrouble(asLogError(log, cause)))
      .finally(() => this.#packing = undefined);
  }

  /** Leaves the compression that is under way to the next process. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#packing;
  }

  async #pack(packing: Exclude<Packing, "plain">): Promise<void> {
    const { log, sinks } = this.#options;
    const { signal } = this.#stopping;
    await removeLeftovers(log);
    const tried = new Set<string>();
    for (;;) {
      // Looked for each time: files are closed meanwhile.
      const closed = closedFiles(log)
        .find((file) => file.packing === "plain" && !tried.has(file.path));
      if (closed === undefined || signal.aborted) return;
      tried.add(closed.path);
      const compressed = await packClosed(closed, packing, signal);
      if (compressed === undefined) continue;
      sinks.filesChanged({ kind: "compressed", file: closed.path, compressed });
    }
  }

  #attempt<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (cause) {
      this.#options.onTrouble(asLogError(this.#options.log, cause));
      return undefined;
    }
  }
}
