import { discoverConfig } from "../../config/discover.ts";
import type { Environment } from "../../config/paths.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { DaemonConfig } from "../../daemon/supervisor.ts";
import { prepareFile } from "../../run/prepare.ts";
import { printError, printNotice } from "../output.ts";

/** Flags that several commands of `firma sidecar` take. */
export interface SidecarFlags {
  readonly config?: string;
  readonly trust?: boolean;
  readonly stateDir?: string;
}

/** What a Sidecar that outlives a run is to serve: a configuration that may be used. */
export function sidecarProject(
  flags: SidecarFlags,
  env: Environment,
): Result<DaemonConfig, readonly FirmaError[]> {
  const found = discoverConfig({ flag: flags.config, env, cwd: Deno.cwd() });
  if (!found.ok) return err([found.error]);
  if (found.value === undefined) {
    return err([{
      code: "CONFIG_NOT_FOUND",
      message: `Cannot find a configuration: there is none from "${Deno.cwd()}" upwards`,
      cure: "firma config writes one, and firma run does on the first launch",
    }]);
  }
  const admission = { env: env as Record<string, string>, trust: flags.trust ?? false };
  const prepared = prepareFile(found.value.file, admission, { tell: printNotice });
  if (!prepared.ok) return prepared;
  const { config, digest } = prepared.value;
  return ok({
    file: config.file,
    digest,
    withAuthority: config.authority.listens || Boolean(env.FIRMA_AUTHORITY_LISTEN_ADDR),
    connectTimeoutMs: config.sidecar.authority.remote?.connectTimeoutMs ?? 0,
    printedLog: config.sidecar.audit.shipping.kinds.includes("stdout")
      ? config.sidecar.audit.filePath
      : undefined,
  });
}

/** Prints what is wrong and gives the exit status for it. */
export function refuse(errors: readonly FirmaError[], status: number): number {
  errors.forEach(printError);
  return status;
}
