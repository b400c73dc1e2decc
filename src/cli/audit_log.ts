import { discoverConfig } from "../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../config/load.ts";
import { auditFile } from "../config/paths.ts";
import { trustState } from "../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/**
 * The audit log in force here: the one that the configuration names, else the
 * user's. A configuration that was only found, not named, must be trusted: a
 * cloned repository could show an invented log.
 */
export function auditLogInForce(
  configFlag: string | undefined,
): Result<string, readonly FirmaError[]> {
  const env = Deno.env.toObject();
  const found = discoverConfig({ flag: configFlag, env, cwd: Deno.cwd() });
  if (!found.ok) return err([found.error]);
  if (found.value === undefined) return ok(auditFile(env));
  const file = readConfigFile(found.value.file);
  if (!file.ok) return err([file.error]);
  const named = found.value.source !== "directory";
  if (!named && trustState(file.value, env).state !== "trusted") return ok(auditFile(env));
  const config = checkConfigFile(file.value, env);
  return config.ok ? ok(config.value.sidecar.audit.filePath) : config;
}
