import { entryOf } from "./entry.ts";
import { dirname, join, resolve } from "../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { Environment } from "./paths.ts";

/** Name of the directory that holds a project's configuration. */
export const CONFIG_DIRECTORY = ".firma";

/** Name of the configuration file in it. */
export const CONFIG_FILE = "firma.toml";

/** A configuration file and how it was found. */
export interface DiscoveredConfig {
  readonly file: string;
  readonly source: "flag" | "environment" | "directory";
}

function unusable(path: string, state: string, cure: string): { ok: false; error: FirmaError } {
  return err({
    code: "CONFIG_UNREADABLE",
    message: `Cannot use "${path}": ${state}`,
    cure,
    at: { file: path },
  });
}

/**
 * A link could lead to a directory that the agent writes, while only the place
 * of the link is sealed from it; so neither the directory nor the file may be one.
 */
function inDirectory(directory: string): Result<string | undefined> {
  const folder = join(directory, CONFIG_DIRECTORY);
  const found = entryOf(folder);
  if (!found) return ok(undefined);
  if (found.isSymlink) {
    return unusable(folder, "it is a symbolic link", "make it a directory, or use --config");
  }
  const file = join(folder, CONFIG_FILE);
  const config = found.isDirectory ? entryOf(file) : undefined;
  if (!config) return ok(undefined);
  if (config.isSymlink) {
    return unusable(file, "it is a symbolic link", "make it a file, or use --config");
  }
  if (!config.isFile) return unusable(file, "it is not a regular file", "make it a file");
  return ok(file);
}

/**
 * Finds the one configuration file in force: `--config`, then `FIRMA_CONFIG`,
 * then the nearest `.firma/firma.toml` from `cwd` upwards. Nothing is skipped
 * because it cannot be read, for what lies above could say less.
 */
export function discoverConfig(
  from: { readonly flag?: string | undefined; readonly env: Environment; readonly cwd: string },
): Result<DiscoveredConfig | undefined> {
  if (from.flag !== undefined) return ok({ file: resolve(from.cwd, from.flag), source: "flag" });
  if (from.env.FIRMA_CONFIG) {
    return ok({ file: resolve(from.cwd, from.env.FIRMA_CONFIG), source: "environment" });
  }
  for (let directory = from.cwd;; directory = dirname(directory)) {
    try {
      const found = inDirectory(directory);
      if (!found.ok) return found;
      if (found.value) return ok({ file: found.value, source: "directory" });
    } catch (cause) {
      return unusable(
        join(directory, CONFIG_DIRECTORY),
        cause instanceof Error ? cause.message : String(cause),
        "make it readable for you, or use --config",
      );
    }
    if (directory === dirname(directory)) return ok(undefined);
  }
}

/** Every `.firma` from `cwd` upwards and in `home`: none of them is for an agent to see. */
export function configDirectories(cwd: string, home: string | undefined): string[] {
  const candidates = home ? [join(home, CONFIG_DIRECTORY)] : [];
  for (let directory = cwd;; directory = dirname(directory)) {
    candidates.push(join(directory, CONFIG_DIRECTORY));
    if (directory === dirname(directory)) break;
  }
  return [...new Set(candidates)].filter((path) => {
    try {
      return Deno.statSync(path).isDirectory;
    } catch {
      return false;
    }
  });
}
