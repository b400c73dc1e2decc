import { readConfigFile } from "../config/load.ts";
import type { Environment } from "../config/paths.ts";
import { trustState } from "../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { type ComponentOptions, SupervisedComponent } from "./component.ts";
import { appendLog } from "./daemon_log.ts";
import type { Exit, NoticeLevel } from "./helper_process.ts";
import { endLeftovers, removeSockets } from "./leftovers.ts";
import { takeLock } from "./lock.ts";
import { type Component, type DaemonPaths, makeDaemonDirectory } from "./state.ts";

/** What a daemon is to serve. */
export interface DaemonConfig {
  /** The `firma.toml`, absolute and without symbolic links. */
  readonly file: string;
  /** SHA-256 that it had when it was checked, hex. */
  readonly digest: string;
  /** Whether an Authority that listens is part of it. */
  readonly withAuthority: boolean;
  /** How long the Sidecar may wait for an Authority elsewhere, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** The audit log that goes to standard output as well, while that is somebody's. */
  readonly printedLog?: string | undefined;
}

/** What a supervisor is started with. */
export interface SupervisorOptions {
  readonly env: Environment;
  readonly config: DaemonConfig;
  /** Whether what ends by itself is started again. */
  readonly restarts: boolean;
  /** Hears everything that is written to the logs of the daemon. @default nobody */
  readonly onNotice?: (level: NoticeLevel, text: string) => void;
  /** First and longest wait before a component is started again, in milliseconds. */
  readonly backoffMs?: readonly [first: number, longest: number];
  /** Starts processes; for tests. */
  readonly spawn?: ComponentOptions["spawn"];
}

const READY_MS = 30_000;
const BACKOFF_MS = [100, 30_000] as const;

/** Keeps a Sidecar running, and the Authority that belongs to it; one for each state directory. */
export class Supervisor {
  readonly paths: DaemonPaths;
  readonly #lock: Disposable;
  readonly #sidecar: SupervisedComponent;
  readonly #authority: SupervisedComponent | undefined;

  private constructor(
    paths: DaemonPaths,
    lock: Disposable,
    sidecar: SupervisedComponent,
    authority: SupervisedComponent | undefined,
  ) {
    this.paths = paths;
    this.#lock = lock;
    this.#sidecar = sidecar;
    this.#authority = authority;
  }

  /** Starts everything, or nothing: what has started is ended again when another part cannot. */
  static async start(options: SupervisorOptions): Promise<Result<Supervisor>> {
    const paths = makeDaemonDirectory(options.env);
    if (!paths.ok) return paths;
    const lock = takeLock(paths.value);
    if (!lock.ok) return lock;
    const sidecar = new SupervisedComponent(sidecarOptions(paths.value, options));
    const authority = options.config.withAuthority
      ? new SupervisedComponent(authorityOptions(paths.value, options))
      : undefined;
    const supervisor = new Supervisor(paths.value, lock.value, sidecar, authority);
    try {
      const started = await supervisor.#start(options.env);
      if (started.ok) return ok(supervisor);
      await supervisor.stop(0);
      return started;
    } catch (cause) {
      await supervisor.stop(0).catch(() => {});
      return err(unexpected(cause));
    }
  }

  /** Resolves when the Sidecar ended by itself and is not started again. */
  get ended(): Promise<Exit> {
    return this.#sidecar.ended;
  }

  /**
   * Ends the Sidecar, of which calls may take so many milliseconds to end, and then its Authority.
   * Tells whether everything that they knew is written down.
   */
  async stop(drainMs: number): Promise<boolean> {
    const drained = await this.#sidecar.stop(drainMs);
    const closed = await this.#authority?.stop(0) ?? true;
    removeSockets(this.paths);
    this.#lock[Symbol.dispose]();
    return drained && closed;
  }

  async #start(env: Environment): Promise<Result<void>> {
    // Both load while what an earlier daemon has left is put away.
    this.#authority?.load();
    this.#sidecar.load();
    const ended = await endLeftovers(this.paths, env);
    if (!ended.ok) return ended;
    const authority = await this.#authority?.start() ?? ok(undefined);
    return authority.ok ? await this.#sidecar.start() : authority;
  }
}

function sidecarOptions(paths: DaemonPaths, options: SupervisorOptions): ComponentOptions {
  return {
    ...shared("sidecar", paths, options),
    component: "sidecar",
    name: "Sidecar",
    code: "SIDECAR",
    subcommand: "__sidecar",
    serve: () => served(options, { run_dir: paths.directory, lasts: true }),
    readyTimeoutMs: READY_MS + options.config.connectTimeoutMs,
    cleanUp: () => removeSockets(paths),
    reachable: () => ({
      control_socket: paths.controlSocket,
      decision_socket: paths.decisionSocket,
    }),
  };
}

function authorityOptions(paths: DaemonPaths, options: SupervisorOptions): ComponentOptions {
  return {
    ...shared("authority", paths, options),
    component: "authority",
    name: "Authority",
    code: "AUTHORITY",
    subcommand: "__authority",
    serve: () => served(options),
    readyTimeoutMs: READY_MS,
    cleanUp: () => ok(undefined),
    reachable: ({ listen }) => typeof listen === "string" ? { listen } : {},
  };
}

/** What a component is to serve now, and the order that tells it so. */
function served(options: SupervisorOptions, more: Readonly<Record<string, unknown>> = {}) {
  const config = currentConfig(options);
  const { file, digest } = config;
  return { config, firstOrder: { type: "start", config: file, config_digest: digest, ...more } };
}

/**
 * The configuration as it is to be served now. A Sidecar takes over edits that its operator has
 * trusted; one that is started again has to find those as well. An edit that nobody trusts is left
 * to the component to refuse.
 */
function currentConfig({ config, env }: SupervisorOptions): { file: string; digest: string } {
  const { file, digest } = config;
  const now = readConfigFile(file);
  const isTrusted = now.ok && trustState(now.value, env).state === "trusted";
  return { file, digest: isTrusted ? now.value.digest : digest };
}

function shared(component: Component, paths: DaemonPaths, options: SupervisorOptions) {
  const { onNotice, restarts, backoffMs = BACKOFF_MS, spawn } = options;
  const file = paths.log(component);
  return {
    paths,
    restarts,
    backoffMs,
    ...(spawn && { spawn }),
    onNotice(level: NoticeLevel, text: string) {
      appendLog(file, level, text);
      onNotice?.(level, text);
    },
  };
}

function unexpected(cause: unknown): FirmaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return { code: "START_FAILED", message: `Cannot start the daemon: ${reason}`, cause };
}
