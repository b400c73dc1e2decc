import { discoverConfig } from "../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../config/load.ts";
import { auditFile } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { trustState } from "../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/** Where the audit log and its key are. */
export type AuditInForce =
  & Pick<FirmaConfig["sidecar"]["audit"], "filePath">
  & Partial<FirmaConfig["sidecar"]["audit"]>;

/**
 * The audit log in force here: the one that the configuration names, else the
 * user's. A configuration that was only found, not named, must be trusted: a
 * cloned repository could show an invented log.
 */
export function auditInForce(
  configFlag: string | undefined,
): Result<AuditInForce, readonly FirmaError[]> {
  const env = Deno.env.toObject();
  const usual = { filePath: auditFile(env) };
  const found = discoverConfig({ flag: configFlag, env, cwd: Deno.cwd() });
  if (!found.ok) return err([found.error]);
  if (found.value === undefined) return ok(usual);
  const file = readConfigFile(found.value.file);
  if (!file.ok) return err([file.error]);
  const named = found.value.source !== "directory";
  if (!named && trustState(file.value, env).state !== "trusted") return ok(usual);
  const config = checkConfigFile(file.value, env);
  return config.ok ? ok(config.value.sidecar.audit) : config;
}

/** The file of {@linkcode auditInForce}. */
export function auditLogInForce(
  configFlag: string | undefined,
): Result<string, readonly FirmaError[]> {
  const found = auditInForce(configFlag);
  return found.ok ? ok(found.value.filePath) : found;
}
