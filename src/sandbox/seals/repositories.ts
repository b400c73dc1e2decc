import { basename, dirname, join, resolve } from "../../core/path.ts";
import { entryAt, isWithin, realPath } from "../paths.ts";

/** Where git keeps what belongs to a work tree. All paths are real. */
export interface Repository {
  /** Work tree, or the repository itself where it has none. */
  readonly root: string;
  /** The `.git` of the work tree, unless it is a directory. */
  readonly pointer?: string;
  readonly gitDir: string;
  /** Of settings and hooks; another one than `gitDir` in linked work trees. */
  readonly commonDir: string;
}

/** Full of other people's files, which nobody works in. */
const SKIPPED = new Set([
  ...["node_modules", ".venv", "venv", "target", "__pycache__"],
]);

const DEPTH = 5;
/** How many directories are looked at, the nearest first; a start must not wait for more. */
const MOST_DIRECTORIES = 2_000;

/**
 * The repositories in a workspace: its own, nested ones, bare ones, those of submodules and of
 * linked work trees. Of very large workspaces not those that lie deepest.
 */
export function findRepositories(workspace: string): Repository[] {
  const found = new Map<string, Repository>();
  const add = (repository: Repository | undefined) => {
    if (repository) found.set(`${repository.root}\n${repository.gitDir}`, repository);
  };
  let directories = [workspace];
  let left = MOST_DIRECTORIES;
  for (let depth = 0; depth <= DEPTH && directories.length > 0; depth++) {
    const next: string[] = [];
    for (const directory of directories) {
      if (left-- <= 0) return [...found.values()];
      const names = new Set<string>();
      for (const { name, isDirectory } of entriesOf(directory)) {
        names.add(name);
        if (isDirectory && !SKIPPED.has(name) && name !== ".git") next.push(join(directory, name));
      }
      if (names.has(".git")) {
        const repository = repositoryAt(directory);
        add(repository);
        if (repository && isWithin(repository.commonDir, workspace)) {
          modulesOf(repository.commonDir).forEach(add);
        }
      } else if (isGitDirectory(names)) {
        add({ root: directory, gitDir: directory, commonDir: commonDirOf(directory) });
      }
    }
    directories = next;
  }
  return [...found.values()];
}

/** The repository whose work tree is `root`, if its `.git` leads to one. */
function repositoryAt(root: string): Repository | undefined {
  const path = join(root, ".git");
  const entry = entryAt(path);
  if (!entry) return undefined;
  if (entry.isDirectory) return { root, gitDir: path, commonDir: commonDirOf(path) };
  const target = entry.isSymlink ? path : pointedTo(path);
  if (target === undefined) return undefined;
  const gitDir = realPath(target);
  return { root, pointer: path, gitDir, commonDir: commonDirOf(gitDir) };
}

/** Where the file `.git` of a work tree leads (gitrepository-layout(5)); `undefined`: nowhere. */
export function pointedTo(file: string): string | undefined {
  const path = /^gitdir: (.+?)\s*$/.exec(readSmall(file))?.[1];
  return path === undefined ? undefined : resolve(dirname(file), path);
}

function commonDirOf(gitDir: string): string {
  const path = readSmall(join(gitDir, "commondir")).trim();
  return path === "" ? gitDir : realPath(resolve(gitDir, path));
}

/** The repositories of submodules and of linked work trees, which lie within that of their own. */
function modulesOf(commonDir: string, depth = 0): Repository[] {
  const worktrees = entriesOf(join(commonDir, "worktrees")).map(({ name }) => {
    const gitDir = join(commonDir, "worktrees", name);
    return { root: gitDir, gitDir, commonDir: commonDirOf(gitDir) };
  });
  const modules = join(commonDir, "modules");
  return [...worktrees, ...(depth < DEPTH ? modulesBelow(modules, depth) : [])];
}

/** A submodule's name may contain slashes. */
function modulesBelow(directory: string, depth: number): Repository[] {
  return entriesOf(directory).filter(({ isDirectory }) => isDirectory).flatMap(({ name }) => {
    const gitDir = join(directory, name);
    if (isGitDirectory(new Set(entriesOf(gitDir).map((entry) => entry.name)))) {
      return [{ root: gitDir, gitDir, commonDir: gitDir }, ...modulesOf(gitDir, depth + 1)];
    }
    return depth < DEPTH ? modulesBelow(gitDir, depth + 1) : [];
  });
}

/** As git tells a directory that is a repository by itself. */
function isGitDirectory(names: ReadonlySet<string>): boolean {
  return names.has("HEAD") && (names.has("commondir") || names.has("objects") && names.has("refs"));
}

function entriesOf(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch {
    return []; // not there, or not ours to read
  }
}

/** The text of a small regular file; nothing else is opened, which could be a pipe. */
function readSmall(file: string): string {
  const entry = entryAt(file);
  if (!entry?.isFile || entry.size > 4096) return "";
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return "";
  }
}

/**
 * Files and directories of a repository's that its settings name and that git runs or reads
 * settings from: `core.hooksPath` and includes. Relative ones are taken as git takes them.
 */
export function namedBySettings({ root, commonDir }: Repository, config: string): string[] {
  // Of a submodule's repository; its work tree is found by itself.
  if (root.includes("/.git/")) return [];
  const named: string[] = [];
  let section = "";
  for (const line of config.split("\n")) {
    section = /^\s*\[\s*([\w.-]+)/.exec(line)?.[1]?.toLowerCase() ?? section;
    const [, name = "", value = ""] = /^\s*(?:\[[^\]]*\]\s*)?(\w+)\s*=\s*"?([^"#;]*?)"?\s*$/
      .exec(line) ?? [];
    if (value === "" || value.startsWith("~")) continue;
    if (section === "core" && name.toLowerCase() === "hookspath") named.push(resolve(root, value));
    const included = section === "include" || section === "includeif";
    if (included && name.toLowerCase() === "path") named.push(resolve(commonDir, value));
  }
  return named;
}

/** How a repository is called in what is said of it. */
export function repositoryName({ root, gitDir }: Repository, workspace: string): string {
  const path = basename(gitDir) === ".git" ? dirname(gitDir) : root;
  return path === workspace ? "the workspace" : `"${path.slice(workspace.length + 1)}"`;
}
