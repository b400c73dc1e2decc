import { timestamp } from "../core/timestamp.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import {
  dismissHelper,
  type Exit,
  exitName,
  type HelperProcess,
  type Message,
  type NoticeLevel,
  spawnHelper,
  startHelper,
} from "./helper_process.ts";
import { processStart } from "./process_start.ts";
import {
  type Component,
  type DaemonPaths,
  type Marker,
  removeMarker,
  writeMarker,
} from "./state.ts";

/** The part of a marker that a component tells of itself once it serves. */
export type Reachable = Pick<Marker, "control_socket" | "decision_socket" | "listen">;

/** What a component is started from, and started again. */
export interface ComponentOptions {
  readonly component: Component;
  /** For a person: `Sidecar`. */
  readonly name: string;
  /** Start of the codes of its failures. */
  readonly code: string;
  /** The hidden subcommand that it is. */
  readonly subcommand: string;
  /** What it is to serve now, and the order that says so. */
  readonly serve: () => {
    readonly config: { readonly file: string; readonly digest: string };
    readonly firstOrder: unknown;
  };
  readonly paths: DaemonPaths;
  readonly readyTimeoutMs: number;
  /** Puts away what one that ended has left. */
  readonly cleanUp: () => Result<void>;
  /** Where others reach it, from what it said when it was ready. */
  readonly reachable: (ready: Message) => Reachable;
  /** Hears what it has to tell, and what becomes of it. */
  readonly onNotice: (level: NoticeLevel, text: string) => void;
  /** Whether it is started again when it ends by itself. */
  readonly restarts: boolean;
  /** First and longest wait before it is started again, in milliseconds. */
  readonly backoffMs: readonly [first: number, longest: number];
  /** Starts its process. @default spawnHelper */
  readonly spawn?: (subcommand: string) => Deno.ChildProcess;
}

/** One that served this long was healthy: the next one starts after the shortest wait. */
const HEALTHY_MS = 60_000;
/** How long a component may take to end beyond what its calls were given, in milliseconds. */
const FLUSH_MS = 5_000;
/** How long it may take once it is told to end by a signal, in milliseconds. */
const TERMINATE_MS = 2_000;

/** A component of a daemon, kept running. */
export class SupervisedComponent {
  /** Resolves when it ended by itself and is not started again. */
  readonly ended: Promise<Exit>;
  readonly #options: ComponentOptions;
  readonly #resolveEnded: (exit: Exit) => void;
  #spare: Deno.ChildProcess | undefined;
  #helper: HelperProcess | undefined;
  #marker: Marker | undefined;
  #restarts = 0;
  #waitMs: number;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** A restart that is under way. */
  #restarting: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: ComponentOptions) {
    this.#options = options;
    this.#waitMs = options.backoffMs[0];
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  /** Has its process load already; it does nothing before {@linkcode start}. */
  load(): void {
    const { spawn = spawnHelper, subcommand } = this.#options;
    this.#spare ??= spawn(subcommand);
  }

  /** Starts it; when it cannot, nothing of it is left. */
  async start(): Promise<Result<void>> {
    const cleaned = this.#options.cleanUp();
    if (!cleaned.ok) return cleaned;
    this.load();
    const child = this.#spare!;
    this.#spare = undefined;
    const { config, firstOrder } = this.#options.serve();
    // Before it is told what to serve, so that nothing serves that nobody could find.
    const marked = this.#mark({
      component: this.#options.component,
      pid: child.pid,
      pid_start: processStart(child.pid) ?? 0,
      started_at: timestamp(),
      state: "starting",
      config_file: config.file,
      config_digest: config.digest,
      restarts: this.#restarts,
    });
    const helper = this.#order(child, firstOrder);
    const ready = marked.ok ? await helper.ready : marked;
    const done = ready.ok
      ? this.#mark({ ...this.#marker!, ...this.#options.reachable(ready.value), state: "running" })
      : ready;
    if (!done.ok) {
      await helper.end();
      this.#unmark();
      return done;
    }
    const since = performance.now();
    this.#helper = helper;
    void helper.exited.then((exit) => this.#onExit(exit, performance.now() - since));
    return ok(undefined);
  }

  /** Ends it: calls may take so many milliseconds to end. Tells whether all that it knew is kept. */
  async stop(drainMs: number): Promise<boolean> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    await this.#restarting;
    if (this.#spare) await dismissHelper(this.#spare);
    this.#spare = undefined;
    const helper = this.#helper;
    if (helper === undefined) return this.#unmark();
    if (this.#marker !== undefined) this.#mark({ ...this.#marker, state: "draining" });
    const order = { type: "drain", timeout_ms: drainMs };
    const { code } = await helper.end(order, drainMs + FLUSH_MS);
    return this.#unmark() && code === 0;
  }

  #order(child: Deno.ChildProcess, firstOrder: unknown): HelperProcess {
    const { component, name, code, paths, readyTimeoutMs, onNotice } = this.#options;
    return startHelper({
      process: child,
      name,
      code,
      firstOrder,
      logFile: paths.log(component),
      onNotice,
      readyTimeoutMs,
      drainTimeoutMs: FLUSH_MS,
      terminateTimeoutMs: TERMINATE_MS,
    });
  }

  #onExit(exit: Exit, servedMs: number): void {
    this.#helper = undefined;
    if (this.#stopping) return;
    const { name, onNotice, restarts, backoffMs } = this.#options;
    if (!restarts) {
      onNotice("error", `The ${name} ended: ${exitName(exit)}`);
      return this.#resolveEnded(exit);
    }
    if (servedMs > HEALTHY_MS) this.#waitMs = backoffMs[0];
    onNotice("error", `The ${name} ended, and starts again: ${exitName(exit)}`);
    this.#startAgainLater();
  }

  #startAgainLater(): void {
    const { backoffMs } = this.#options;
    const wait = this.#waitMs;
    this.#waitMs = Math.min(wait * 2, backoffMs[1]);
    this.#retry = setTimeout(() => this.#restarting = this.#startAgain(), wait);
  }

  async #startAgain(): Promise<void> {
    this.#restarts++;
    const { name, onNotice } = this.#options;
    const started = await this.start().catch((cause): Result<void> => err(unexpected(name, cause)));
    if (started.ok) return onNotice("info", `The ${name} serves again`);
    onNotice("error", started.error.message);
    if (!this.#stopping) this.#startAgainLater();
  }

  #mark(marker: Marker): Result<void> {
    this.#marker = marker;
    return writeMarker(marker, this.#options.paths);
  }

  #unmark(): true {
    removeMarker(this.#options.component, this.#options.paths);
    return true;
  }
}

function unexpected(name: string, cause: unknown): FirmaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return { code: "START_FAILED", message: `Cannot start the ${name}: ${reason}`, cause };
}
