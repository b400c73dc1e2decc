import { discoverConfig } from "../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../config/load.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { setOperatorClasses } from "../core/action_class.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/**
 * Puts the action classes of the project around the working directory into the registry,
 * whether or not anybody trusts it: they name things and permit nothing. Returns its configuration,
 * `undefined` where there is none.
 */
export function useProjectClasses(
  configFlag: string | undefined,
): Result<FirmaConfig | undefined, readonly FirmaError[]> {
  const env = Deno.env.toObject();
  const found = discoverConfig({ flag: configFlag, env, cwd: Deno.cwd() });
  if (!found.ok) return err([found.error]);
  if (found.value === undefined) return ok(undefined);
  const file = readConfigFile(found.value.file);
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  setOperatorClasses(config.value.actionClasses);
  return config;
}
