import { discoverConfig } from "../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../config/load.ts";
import { type OperatorFile, operatorFiles } from "../config/operator_files.ts";
import { runsDir } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { trustState } from "../config/trust.ts";
import { join } from "../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { describeSandbox, type SandboxDescription } from "../sandbox/describe.ts";
import { extendProfiles } from "../sandbox/profiles.ts";
import { addedPolicy, type DescribedRefusal, describeRefusals } from "../sandbox/seccomp/added.ts";
import { addedRefusals } from "./added_filter.ts";
import { fileRuleOf } from "./file_rule.ts";
import { limitsFor } from "./limits.ts";
import type { RunOptions } from "./options.ts";
import { chooseProfile } from "./profile.ts";
import { sealedDirectories } from "./sealed.ts";
import { surroundings } from "./surroundings.ts";

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
  const sandbox = await sandboxOf(options, config.value, file.value.digest, profile.value);
  if (!sandbox.ok) return sandbox;
  return ok({
    source: discovered.value.source,
    trust: trustState(file.value, env).state,
    profile: profile.value,
    config: config.value,
    sandbox: sandbox.value,
  });
}

/** What the command would find in its sandbox. */
async function sandboxOf(
  options: RunOptions,
  config: FirmaConfig,
  digest: string,
  profile: string,
): Promise<Result<SandboxDescription, readonly FirmaError[]>> {
  const { command, cwd, workspace, env, capabilityFile, agent, allowWrite = [] } = options;
  const files = operatorFiles(config);
  const sealedDirs = sealedDirectories(workspace, { config, digest, files }, env);
  if (!sealedDirs.ok) return err([sealedDirs.error]);
  const agentId = agent === undefined && capabilityFile === undefined
    ? config.sidecar.authority.agentId
    : undefined;
  const fileRule = await fileRuleOf({ config, files, agentId });
  if (!fileRule.ok) return fileRule;
  const refusals = refusalsOf(config, files);
  if (!refusals.ok) return refusals;
  const described = describeSandbox({
    command,
    cwd: workspace,
    startIn: cwd,
    profile,
    profiles: extendProfiles(config.run.profiles),
    sandboxId: "known once the run has begun",
    ...surroundings(config, env, capabilityFile),
    envPassthrough: config.run.envPassthrough,
    runDir: join(runsDir(env), "none"),
    sealedDirs: sealedDirs.value,
    allowWrite,
    limits: limitsFor(profile, config),
    addedRefusals: refusals.value,
    fileRule: fileRule.value,
  });
  return described.ok ? described : err([described.error]);
}

function refusalsOf(
  config: FirmaConfig,
  files: readonly OperatorFile[],
): Result<readonly DescribedRefusal[], readonly FirmaError[]> {
  const refusals = addedRefusals(config, files);
  if (!refusals.ok) return err([refusals.error]);
  if (refusals.value === undefined) return ok([]);
  const policy = addedPolicy(refusals.value);
  return policy.ok ? ok(describeRefusals(policy.value, Deno.build.arch)) : policy;
}
