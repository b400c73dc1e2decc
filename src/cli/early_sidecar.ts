import { discoverConfig } from "../config/discover.ts";
import type { Environment } from "../config/paths.ts";
import { type Id, newId } from "../core/id.ts";
import { mayJoin } from "../run/choose_sidecar.ts";
import type { EarlyStart } from "../run/early_start.ts";
import { runDirectoryPath } from "../run/run_directory.ts";
import { spawnSidecar } from "../run/spare_sidecar.ts";
import { environment } from "./environment.ts";
import type { RunFlags } from "./run_flags.ts";

/**
 * Starts the process of a Sidecar, unless it looks as if the run will join one. Where there is a
 * configuration, it hears of it: whether that may be used is for the run to find out.
 */
export function earlySidecar(flags: RunFlags): EarlyStart | undefined {
  if (flags.autostart === false) return undefined;
  const isOwn = flags.sidecar === "local" || flags.authority !== undefined;
  if (!isOwn && flags.sidecar !== undefined) return undefined;
  const env = environment(flags);
  const found = discoverConfig({ flag: flags.config, env, cwd: Deno.cwd() });
  const configFile = found.ok ? found.value?.file : undefined;
  if (!isOwn && found.ok && mayJoin(configFile, env)) return undefined;
  const sandboxId = newId("sbx");
  const runDirectory = directoryFor(sandboxId, env);
  if (configFile === undefined || runDirectory === undefined) return { sidecar: spawnSidecar() };
  return { sidecar: spawnSidecar(undefined, { configFile, runDirectory }), sandboxId };
}

/** Where the run will have its directory; `undefined` where no run ever had one. */
function directoryFor(sandboxId: Id<"sbx">, env: Environment): string | undefined {
  try {
    return runDirectoryPath(sandboxId, env);
  } catch {
    return undefined;
  }
}
