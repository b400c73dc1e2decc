/** The first launch in a project: asks, and writes the configuration. */
import { join } from "../core/path.ts";
import {
  CONFIG_DIRECTORY,
  CONFIG_FILE,
  discoverConfig,
  type DiscoveredConfig,
} from "../config/discover.ts";
import { dataDir, stateDir } from "../config/paths.ts";
import type { ScaffoldFile } from "../config/scaffold.ts";
import { lockTrust, recordTrust } from "../config/trust.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { realPath } from "../sandbox/paths.ts";
import { checkWorkspace } from "../sandbox/workspace.ts";
import { loadProject } from "./load_project.ts";
import type { RunInterface, RunOptions } from "./options.ts";

type Faults = readonly FirmaError[];

/** Refuses a directory that no agent can work in, before anything is written there. */
function checkDirectory({ workspace, env }: RunOptions): Result<void> {
  return checkWorkspace({
    cwd: workspace,
    homes: env.HOME ? [env.HOME, realPath(env.HOME)] : [],
    hidden: [stateDir(env), dataDir(env)].map(realPath),
  });
}

function ask(options: RunOptions, ui: RunInterface, content: string): Promise<boolean> {
  return ui.confirm([
    `First launch in ${options.workspace}`,
    `${
      join(options.workspace, CONFIG_DIRECTORY)
    } will be written (${content}); its policies are yours to edit.`,
    `"${options.command[0]}" then runs in a sandbox: it writes in this directory alone,`,
    "and each call it makes to the network is decided by those policies and recorded.",
  ], "Go on?");
}

/** Writes the files and trusts them, unless another launch has done so in the meantime. */
async function write(
  options: RunOptions,
  files: readonly ScaffoldFile[],
): Promise<Result<DiscoveredConfig & { readonly written: boolean }, Faults>> {
  const { cwd, workspace, env } = options;
  const { writeScaffold } = await import("../config/scaffold.ts");
  using _lock = lockTrust(join(realPath(workspace), CONFIG_DIRECTORY, CONFIG_FILE), env);
  const found = discoverConfig({ env, cwd });
  if (!found.ok) return err([found.error]);
  if (found.value) return ok({ ...found.value, written: false });
  const written = writeScaffold(workspace, files);
  if (!written.ok) return err([written.error]);
  const loaded = loadProject(written.value, env);
  if (!loaded.ok) return loaded;
  const trusted = recordTrust(loaded.value.file, loaded.value.files, "scaffold", env);
  if (!trusted.ok) return err([trusted.error]);
  return ok({ file: written.value, source: "directory", written: true });
}

/** Sets a project up, after asking where there is somebody to ask. */
export async function firstLaunch(
  options: RunOptions,
  ui: RunInterface,
): Promise<Result<DiscoveredConfig, Faults>> {
  const usable = checkDirectory(options);
  if (!usable.ok) return err([usable.error]);
  const { DEFAULT_POSTURE, defaultMappings, scaffoldFiles } = await import(
    "../config/scaffold.ts"
  );
  const { posture = DEFAULT_POSTURE, profile } = options;
  const mappings = options.mappings.length > 0
    ? options.mappings
    : defaultMappings(options.command);
  const files = scaffoldFiles({ posture, mappings, profile });
  if (!files.ok) return err([files.error]);
  const content = `posture ${posture}; mappings ${mappings.join(", ") || "none"}`;
  const asks = ui.interactive && !options.yes;
  if (asks && !await ask(options, ui, content)) {
    return err([{ code: "DECLINED", message: "Nothing was started and nothing was written" }]);
  }
  const set = await write(options, files.value);
  if (!set.ok) return set;
  if (!asks && set.value.written) {
    ui.tell("info", `wrote ${join(options.workspace, CONFIG_DIRECTORY)} (${content})`);
  }
  return set;
}
