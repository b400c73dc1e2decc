import { basename, dirname } from "../../core/path.ts";
import { CONFIG_FILE } from "../../config/discover.ts";
import { parseConfig } from "../../config/schema.ts";
import type { FirmaConfig } from "../../config/schema.ts";
import { auditFile, authorityKeyFile, projectDataDir } from "../../config/paths.ts";
import { type ExistingConfig, type Project, readProject } from "../../config/setup/project.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { checkTrust } from "../config/check_trust.ts";
import { writeConfig } from "../config/set_up_write.ts";
import { configTarget } from "../config_target.ts";

/** A trusted `firma.toml` that can be changed in place. */
export interface EditableConfig {
  readonly project: Project;
  readonly existing: ExistingConfig;
}

/** Finds the configuration in force; one that nobody trusts is not changed, or firma would vouch for it. */
export function editableConfig(
  flag: string | undefined,
): Result<EditableConfig, readonly FirmaError[]> {
  const target = configTarget(undefined, flag);
  if (!target.ok) return err([target.error]);
  const { file } = target.value;
  if (basename(file) !== CONFIG_FILE) {
    return err([{
      code: "CONFIG_NAME",
      message: `Cannot change "${file}": its name is not ${CONFIG_FILE}`,
      cure: "edit it yourself, then: firma trust",
    }]);
  }
  const project = readProject(dirname(file), Deno.env.toObject());
  if (!project.ok) return project;
  const { existing } = project.value;
  if (existing === undefined) {
    return err([{
      code: "CONFIG_NOT_FOUND",
      message: `Cannot change "${file}": there is no such file`,
      cure: "firma config writes one",
    }]);
  }
  const trusted = checkTrust(project.value);
  return trusted.ok ? ok({ project: project.value, existing }) : err([trusted.error]);
}

/** Reads an edited text as if it were the file. */
export function parseEdited(
  { existing: { file: { file } } }: EditableConfig,
  text: string,
): Result<FirmaConfig, readonly FirmaError[]> {
  const env = Deno.env.toObject();
  return parseConfig(text, file, {
    projectDataDir: projectDataDir(env, file),
    auditFile: auditFile(env),
    authorityKey: authorityKeyFile(env),
  }, env);
}

/** Writes an edited text, and goes on trusting it. */
export async function writeEdited(
  { project, existing }: EditableConfig,
  text: string,
): Promise<Result<string, readonly FirmaError[]>> {
  return await writeConfig(project, {
    changes: [{ path: CONFIG_FILE, before: existing.file.text, after: text, pack: undefined }],
    kept: [],
  });
}
