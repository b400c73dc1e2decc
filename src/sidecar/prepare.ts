import { join } from "../core/path.ts";
import { CheckedContents } from "../config/checked_contents.ts";
import { loadConfig } from "../config/load.ts";
import { overrideAuthority } from "../config/override_authority.ts";
import { dataDir, ensurePrivateDirectory, type Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { setOperatorClasses } from "../core/action_class.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { isMonitorAllowed } from "./monitor_mode.ts";
import { knownMapping } from "./known_mapping.ts";
import type { Notify } from "./notices.ts";
import { readMapping, workerConfig } from "./settings.ts";
import { SocketPool } from "./socket_pool.ts";
import { planePermissions, SpareWorker } from "./spare_worker.ts";
import type { MappingSource, WorkerConfig } from "./worker/messages.ts";

/** What a Sidecar is started with. */
export interface SidecarOptions {
  readonly configFile: string;
  /** Digest that the file had when it was checked; another content is refused. */
  readonly configDigest?: string | undefined;
  /** An Authority that goes before the one that is configured: `"local"`, or a checked URL. */
  readonly authority?: string | undefined;
  /** A directory of mode 0700 that is this run's alone. */
  readonly runDirectory: string;
  /** It outlives runs, and so what it was started with. @default {false} */
  readonly lasts?: boolean;
  readonly env: Environment;
  readonly notify: Notify;
}

/** What a Sidecar knows before it starts anything. */
export interface Groundwork {
  /** The `firma.toml` as it was read, and the digest that it had to have. */
  readonly source: {
    readonly file: string;
    readonly text: string;
    readonly digest: string | undefined;
  };
  readonly config: FirmaConfig;
  readonly worker: WorkerConfig;
  readonly mapping: readonly MappingSource[];
  /** What earlier runs found valid. */
  readonly known: CheckedContents;
  readonly sockets: SocketPool;
  /** Where the mapping is known to be valid: a worker that loads while the rest is made. */
  readonly spare: SpareWorker | undefined;
}

/** What is read before anything is made. */
type Reading = Omit<Groundwork, "spare"> & {
  /** Of a worker that may serve this, where the mapping is known to be valid. */
  readonly permissions: Deno.PermissionOptionsObject | undefined;
};

/** Reads what a Sidecar is to serve; changes nothing. */
export async function readGroundwork(
  { configFile, configDigest, authority, runDirectory, env }: Omit<SidecarOptions, "notify">,
): Promise<Result<Reading, readonly FirmaError[]>> {
  const loaded = loadConfig(configFile, env, configDigest);
  if (!loaded.ok) return loaded;
  const config = overrideAuthority(loaded.value.config, authority);
  if (!config.ok) return err([config.error]);
  setOperatorClasses(config.value.actionClasses);
  const sockets = SocketPool.ofRun(runDirectory);
  const [worker, mapping] = await Promise.all([
    workerConfig(config.value, isMonitorAllowed(env)),
    readMapping(config.value.sidecar.mapping.rulesPaths),
  ]);
  if (!worker.ok || !mapping.ok) {
    return err([worker, mapping].flatMap((part) => part.ok ? [] : part.error));
  }
  const known = new CheckedContents(join(dataDir(env), "known"));
  const hosts = knownMapping(mapping.value, known)?.hosts;
  return ok({
    source: { file: config.value.file, text: loaded.value.file.text, digest: configDigest },
    config: config.value,
    worker: worker.value,
    mapping: mapping.value,
    known,
    sockets,
    permissions: hosts && planePermissions(hosts, worker.value, sockets),
  });
}

/**
 * Reads what a Sidecar is to serve, and sets its worker going, which takes as long to load as the
 * rest of the Sidecar to start. `early`: one that is going already, and is used if it may reach
 * exactly what this configuration lets it reach.
 */
export async function prepare(
  options: SidecarOptions,
  early?: SpareWorker,
): Promise<Result<Groundwork, readonly FirmaError[]>> {
  const read = await readGroundwork(options);
  if (!read.ok) return read;
  const { permissions, ...groundwork } = read.value;
  for (const directory of [options.runDirectory, groundwork.sockets.directory]) {
    const made = ensurePrivateDirectory(directory);
    if (!made.ok) return err([made.error]);
  }
  return ok({ ...groundwork, spare: permissions && spareFor(permissions, early) });
}

function spareFor(permissions: Deno.PermissionOptionsObject, early?: SpareWorker): SpareWorker {
  if (early?.fits(permissions)) return early;
  early?.end();
  return new SpareWorker(permissions);
}
