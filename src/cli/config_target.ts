import { join, resolve } from "../core/path.ts";
import {
  CONFIG_DIRECTORY,
  CONFIG_FILE,
  discoverConfig,
  type DiscoveredConfig,
} from "../config/discover.ts";
import { err, ok, type Result } from "../core/result.ts";

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // what is wrong with it comes out when it is read
  }
}

/** A configuration file and how it was found. */
export type ConfigTarget = Omit<DiscoveredConfig, "source"> & {
  readonly source: DiscoveredConfig["source"] | "argument";
};

/**
 * The configuration that the words on the command line mean: the one at `path`, which
 * may be a project directory, else the one in force here.
 */
export function configTarget(
  path: string | undefined,
  configFlag: string | undefined,
): Result<ConfigTarget> {
  const cwd = Deno.cwd();
  if (path !== undefined) {
    if (!isDirectory(path)) return ok({ file: resolve(path), source: "argument" });
    const found = discoverConfig({ env: {}, cwd: Deno.realPathSync(path) });
    if (!found.ok) return found;
    const file = found.value?.file ?? join(path, CONFIG_DIRECTORY, CONFIG_FILE);
    return ok({ file, source: "argument" });
  }
  const found = discoverConfig({ flag: configFlag, env: Deno.env.toObject(), cwd });
  if (!found.ok) return found;
  if (found.value) return ok(found.value);
  return err({
    code: "CONFIG_NOT_FOUND",
    message: `Cannot find a configuration: there is no ${CONFIG_DIRECTORY}/${CONFIG_FILE} from ` +
      `"${cwd}" upwards`,
    cure: "firma config writes one",
  });
}
