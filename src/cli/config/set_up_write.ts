/** Writes what `firma config` has planned, and goes on trusting what it wrote. */
import { basename, dirname, join } from "../../core/path.ts";
import { CONFIG_FILE } from "../../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../../config/load.ts";
import { operatorFiles } from "../../config/operator_files.ts";
import { projectDataDir } from "../../config/paths.ts";
import { recordRemovals } from "../../config/policy_removals.ts";
import type { Answers } from "../../config/setup/answers.ts";
import { applyPlan } from "../../config/setup/apply.ts";
import type { SetupPlan } from "../../config/setup/plan.ts";
import type { Project } from "../../config/setup/project.ts";
import { lockTrust, recordChange, recordTrust, trustState } from "../../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { realPath } from "../../sandbox/paths.ts";
import { tlsFiles } from "../authority/init_tls.ts";

function isNetworkAddress(address: string | undefined): boolean {
  return address !== undefined && !address.startsWith("unix:");
}

/** Where an Authority that listens on the network has its certificates. */
export function tlsDirectory(
  { directory, existing }: Project,
  answers: Answers,
): string | undefined {
  if (answers.mode !== "authority" || !isNetworkAddress(answers.authorityListen)) return undefined;
  const file = existing?.file.file ??
    join(realPath(dirname(directory)), basename(directory), CONFIG_FILE);
  return join(projectDataDir(Deno.env.toObject(), file), "tls");
}

async function writeTls(
  directory: string,
  answers: Answers,
  force: boolean,
): Promise<Result<void>> {
  const isThere = readConfigFile(join(directory, "server.crt")).ok;
  if (isThere && !force) return ok(undefined);
  const host = /^\[?(.*?)\]?:\d+$/.exec(answers.authorityListen ?? "")?.[1] ?? "";
  const isAny = host === "0.0.0.0" || host === "::";
  const names = new Set([
    "localhost",
    "127.0.0.1",
    "::1",
    Deno.hostname(),
    ...(isAny ? [] : [host]),
  ]);
  const files = await tlsFiles(directory, [...names]);
  return files.ok ? await writeNewFiles(files.value, true) : files;
}

/** Writes the plan, with certificates where an Authority needs some; see {@linkcode writeConfig}. */
export async function writePlan(
  project: Project,
  plan: SetupPlan,
  answers: Answers,
  { tlsDir, force }: { readonly tlsDir: string | undefined; readonly force: boolean },
): Promise<Result<string, readonly FirmaError[]>> {
  const tls = tlsDir === undefined ? undefined : () => writeTls(tlsDir, answers, force);
  return await writeConfig(project, plan, tls);
}

/**
 * Writes the plan and goes on trusting the configuration; nobody else sets it up meanwhile. `first`
 * writes what must be there before.
 */
export async function writeConfig(
  project: Project,
  plan: SetupPlan,
  first?: () => Promise<Result<void>>,
): Promise<Result<string, readonly FirmaError[]>> {
  const env = Deno.env.toObject();
  const { directory, existing, policyDir } = project;
  const parent = dirname(directory);
  try {
    Deno.mkdirSync(parent, { recursive: true });
  } catch (cause) {
    return err([{
      code: "CONFIG_NOT_WRITTEN",
      message: `Cannot make "${parent}": ${cause instanceof Error ? cause.message : cause}`,
    }]);
  }
  const made = await first?.();
  if (made?.ok === false) return err([made.error]);
  const place = join(realPath(parent), basename(directory), CONFIG_FILE);
  using _lock = lockTrust(existing?.file.file ?? place, env);
  const state = existing && trustState(existing.file, env);
  const removed = plan.changes.flatMap(({ path, before, after }) =>
    after === undefined && before !== undefined && dirname(path) === policyDir
      ? [{ file: basename(path), text: before }]
      : []
  );
  if (removed.length > 0) {
    // First, so that an Authority that runs knows when it sees them gone.
    const recorded = recordRemovals(projectDataDir(env, existing?.file.file ?? place), removed);
    if (!recorded.ok) return err([recorded.error]);
  }
  const applied = applyPlan(project, plan);
  if (!applied.ok) return err([applied.error]);
  const file = readConfigFile(applied.value);
  if (!file.ok) return err([file.error]);
  // Only what was shown may be trusted for it.
  const shown = plan.changes.find(({ path }) => path === CONFIG_FILE)?.after ?? existing?.file.text;
  if (file.value.text !== shown) return err([changedMeanwhile(applied.value)]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  const files = operatorFiles(config.value);
  const paths = new Set(plan.changes.map(({ path }) => join(dirname(file.value.file), path)));
  const recorded = state?.state === "trusted"
    ? recordChange(state.record, file.value, paths, files, env)
    : recordTrust(file.value, files, "scaffold", env);
  return recorded.ok ? ok(applied.value) : err([recorded.error]);
}

function changedMeanwhile(file: string): FirmaError {
  return {
    code: "CONFIG_CHANGED",
    message: `Cannot go on trusting "${file}": somebody else changed it in the meantime`,
    cure: "read it, then: firma trust",
  };
}
