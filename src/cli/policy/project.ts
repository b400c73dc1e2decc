import { dirname } from "../../core/path.ts";
import { discoverConfig } from "../../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../../config/load.ts";
import { operatorFiles } from "../../config/operator_files.ts";
import { packNames, readPack } from "../../config/packs.ts";
import { DEFAULT_POSTURE } from "../../config/scaffold.ts";
import type { FirmaConfig } from "../../config/schema.ts";
import { trustState } from "../../config/trust.ts";
import { setOperatorClasses } from "../../core/action_class.ts";
import { err, type FirmaError, ok, type Result, unwrap } from "../../core/result.ts";
import type { MappingFile } from "../../mapping/rule_file.ts";
import type { ExplainerOptions } from "../../sidecar/explain.ts";
import { workerConfig } from "../../sidecar/settings.ts";
import { printNotice } from "../output.ts";
import { type PolicySources, posturePolicies, readPolicies, shortPath } from "./sources.ts";

/** What calls are decided by here. */
export interface Surroundings {
  readonly policies: PolicySources;
  readonly options: ExplainerOptions;
  /** The agent of the project. */
  readonly agentId?: string;
}

/** Every mapping that ships with firma. */
export function shippedMappings(names: readonly string[] = packNames("mapping")): MappingFile[] {
  return names.map((name) => ({
    file: `packs/mappings/${name}.toml`,
    text: unwrap(readPack("mapping", name)),
  }));
}

/**
 * What is in force in the project around the working directory; outside of one,
 * posture `dev` and every mapping that ships with firma.
 */
export async function surroundings(
  configFlag: string | undefined,
): Promise<Result<Surroundings, readonly FirmaError[]>> {
  const env = Deno.env.toObject();
  const found = discoverConfig({ flag: configFlag, env, cwd: Deno.cwd() });
  if (!found.ok) return err([found.error]);
  if (found.value === undefined) {
    const policies = posturePolicies(DEFAULT_POSTURE);
    if (!policies.ok) return policies;
    const { bundle } = policies.value;
    return ok({ policies: policies.value, options: { mapping: shippedMappings(), bundle } });
  }
  const file = readConfigFile(found.value.file);
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  setOperatorClasses(config.value.actionClasses);
  if (trustState(file.value, env).state !== "trusted") {
    const project = shortPath(dirname(file.value.file));
    printNotice("warn", `nobody trusts "${project}" yet; firma run would not use it`);
  }
  return await projectSurroundings(config.value);
}

async function projectSurroundings(
  config: FirmaConfig,
): Promise<Result<Surroundings, readonly FirmaError[]>> {
  const { policyDir, issuancePolicyDir } = config.authority;
  const mapping = projectMapping(config);
  const policies = await readPolicies(policyDir);
  const issuance = await readPolicies(issuancePolicyDir);
  const worker = await workerConfig(config);
  if (!mapping.ok) return mapping;
  if (!policies.ok) return policies;
  if (!issuance.ok) return issuance;
  if (!worker.ok) return err([worker.error]);
  return ok({
    policies: policies.value,
    options: {
      mapping: mapping.value,
      bundle: policies.value.bundle,
      issuance: issuance.value.bundle,
      config: worker.value,
      defaultProtected: config.sidecar.mapping.defaultProtected,
    },
    ...(config.sidecar.authority.agentId && { agentId: config.sidecar.authority.agentId }),
  });
}

/** Only regular files: a configuration that nobody trusts may name a pipe that never ends. */
function projectMapping(config: FirmaConfig): Result<MappingFile[], FirmaError[]> {
  const readable = new Map(operatorFiles(config).map(({ path, text }) => [path, text]));
  const missing = config.sidecar.mapping.rulesPaths.filter((path) => !readable.has(path));
  if (missing.length > 0) {
    return err(missing.map((path) => ({
      code: "MAPPING_UNREADABLE",
      message: `Cannot read mapping rules "${shortPath(path)}": it is no file that can be read`,
      cure: "put the file back, or take it out of [sidecar.mapping] rules_paths",
    })));
  }
  return ok(config.sidecar.mapping.rulesPaths.map((path) => ({
    file: shortPath(path),
    text: readable.get(path)!,
  })));
}
