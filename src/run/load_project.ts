import { checkConfigFile, type ConfigFile, readConfigFile } from "../config/load.ts";
import { type OperatorFile, operatorFiles } from "../config/operator_files.ts";
import type { Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/** A `firma.toml` and everything that it brings into force, as it was read. */
export interface Loaded {
  readonly file: ConfigFile;
  readonly config: FirmaConfig;
  readonly files: readonly OperatorFile[];
}

/** Reads and checks the `firma.toml` at `path`, and reads what it names. */
export function loadProject(
  path: string,
  env: Environment,
): Result<Loaded, readonly FirmaError[]> {
  const file = readConfigFile(path);
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  if (config.value.sidecar.authority.agentId === "") {
    return err([{
      code: "CONFIG_WITHOUT_AGENT",
      message: `Cannot run an agent with "${path}": it is the configuration of an Authority`,
      cure: "name another one with --config, or give this one [sidecar.authority] agent_id",
    }]);
  }
  return ok({ file: file.value, config: config.value, files: operatorFiles(config.value) });
}
