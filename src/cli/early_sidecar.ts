import { discoverConfig } from "../config/discover.ts";
import { mayJoin } from "../run/choose_sidecar.ts";
import { type SpareSidecar, spawnSidecar } from "../run/spare_sidecar.ts";
import { environment } from "./environment.ts";
import type { RunFlags } from "./run_flags.ts";

/** Starts the process of a Sidecar, unless it looks as if the run will join one. */
export function earlySidecar(flags: RunFlags): SpareSidecar | undefined {
  if (flags.autostart === false) return undefined;
  if (flags.sidecar === "local" || flags.authority !== undefined) return spawnSidecar();
  if (flags.sidecar !== undefined) return undefined;
  const env = environment(flags);
  const found = discoverConfig({ flag: flags.config, env, cwd: Deno.cwd() });
  return found.ok && mayJoin(found.value?.file, env) ? undefined : spawnSidecar();
}
