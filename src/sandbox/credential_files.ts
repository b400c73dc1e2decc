import { basename, join } from "../core/path.ts";
import { entryAt, realPath } from "./paths.ts";

/** Files in which package managers and their like keep tokens, wherever they lie. */
const NAMES = new Set([
  ...[".npmrc", "npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml", ".bunfig.toml"],
  ...["credentials", "credentials.toml", "credentials.json", "credentials.tfrc.json", "auth.json"],
  ...[".netrc", "_netrc", ".git-credentials", ".pypirc", "pip.conf", ".condarc", "condarc"],
  ...[".gemrc", "gemrc", "settings-security.xml", "gradle.properties", ".env", "hosts.yml"],
]);

/** Directories that hold one installation each, or a directory of such for each tool. */
const INSTALLATIONS = new Set([
  ...["versions", "installs", "envs", "tools", "candidates", "toolchains", "node"],
]);

/** From a version manager down to the settings of one of its installations. */
const DEPTH = 4;

/**
 * Files that may hold tokens in directories of toolchains, as they are really called: at the top of
 * each, in its `etc`, and the same of installations that a version manager keeps there.
 */
export function credentialFiles(directories: readonly string[]): string[] {
  return [...new Set(directories.flatMap((directory) => filesIn(directory, 0)))];
}

function filesIn(directory: string, depth: number): string[] {
  return entriesOf(directory).flatMap(({ name, isDirectory }) => {
    const path = join(directory, name);
    if (NAMES.has(name) && !isDirectory) {
      return entryAt(realPath(path))?.isFile ? [realPath(path)] : [];
    }
    const leadsOn = name === "etc" || INSTALLATIONS.has(name) ||
      depth > 0 && basename(directory) !== "etc";
    return isDirectory && leadsOn && depth < DEPTH && !isProgramDirectory(name)
      ? filesIn(path, depth + 1)
      : [];
  });
}

/** Large, and nobody's settings. */
function isProgramDirectory(name: string): boolean {
  return ["bin", "lib", "lib64", "libexec", "include", "share", "src", "pkgs", "pkg"].includes(
    name,
  );
}

function entriesOf(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch {
    return []; // a file, or not ours to read
  }
}
