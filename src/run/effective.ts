import { discoverConfig } from "../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../config/load.ts";
import { trustState } from "../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { extendProfiles } from "../sandbox/profiles.ts";
import type { RunOptions } from "./options.ts";
import { chooseProfile } from "./profile.ts";

/**
 * What a run with these options would use, as a value for JSON; starts and
 * writes nothing. Without a configuration, what the first launch would choose.
 */
export async function effectiveConfig(
  options: RunOptions,
): Promise<Result<unknown, readonly FirmaError[]>> {
  const { command, env, cwd, configFlag } = options;
  const discovered = discoverConfig({ flag: configFlag, env, cwd });
  if (!discovered.ok) return err([discovered.error]);
  if (!discovered.value) {
    const profile = chooseProfile(options.profile, command);
    if (!profile.ok) return err([profile.error]);
    const { DEFAULT_POSTURE, defaultMappings } = await import("../config/scaffold.ts");
    return ok({
      source: "first launch",
      trust: "none",
      profile: profile.value,
      posture: options.posture ?? DEFAULT_POSTURE,
      mappings: options.mappings.length > 0 ? options.mappings : defaultMappings(command),
    });
  }
  const file = readConfigFile(discovered.value.file);
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  const { run } = config.value;
  const profile = chooseProfile(
    options.profile ?? run.profile,
    command,
    extendProfiles(run.profiles),
  );
  if (!profile.ok) return err([profile.error]);
  return ok({
    source: discovered.value.source,
    trust: trustState(file.value, env).state,
    profile: profile.value,
    config: config.value,
  });
}
