import { CONFIG_DIRECTORY, CONFIG_FILE } from "../config/discover.ts";
import { dataDir, type Environment, stateDir } from "../config/paths.ts";
import { dirname, join, resolve } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { entryAt, isWithin, realPath } from "../sandbox/paths.ts";
import { pointedTo } from "../sandbox/seals/repositories.ts";
import { checkWorkspace } from "../sandbox/workspace.ts";

/** Where a run is started, and what its operator wants opened. */
export interface WorkspaceWish {
  readonly cwd: string;
  readonly env: Environment;
  /** `--workspace` */
  readonly workspace?: string | undefined;
}

/** What a run opens to its command. */
export interface Workspace {
  readonly path: string;
  /** What the operator should know of it, not escaped. */
  readonly notice?: string;
}

/**
 * The directory that a run opens to the command: the work tree of the repository around `cwd`, or
 * `cwd` itself. Half a repository is of no use: git finds nothing, nor do programs whose settings
 * lie at its top. A `.firma` on the way up is where its operator has drawn the line.
 */
export function findWorkspace({ cwd, env, workspace }: WorkspaceWish): Result<Workspace> {
  const start = realPath(cwd);
  if (workspace === undefined) return ok(around(start, env));
  const wanted = realPath(resolve(cwd, workspace));
  if (entryAt(wanted)?.isDirectory === true && isWithin(start, wanted)) return ok({ path: wanted });
  return err({
    code: "WORKSPACE_ELSEWHERE",
    message: `Cannot open "${wanted}" to the command: "${start}" does not lie in it`,
    cure: "change into it first",
  });
}

function around(start: string, env: Environment): Workspace {
  // Of a submodule or a linked work tree, where git keeps what belongs to it.
  let gitDir: string | undefined;
  for (let at = start;; at = dirname(at)) {
    const git = join(at, ".git");
    const entry = entryAt(git);
    if (entry?.isFile === true && gitDir === undefined) {
      const target = pointedTo(git);
      gitDir = target && realPath(target);
    }
    if (entry?.isDirectory === true) {
      const isWhole = gitDir === undefined || isWithin(gitDir, git);
      if (at === start || !isWhole || !isUsable(at, entry, env)) break;
      return { path: at, notice: `the command works in "${at}", the repository around "${start}"` };
    }
    if (entryAt(join(at, CONFIG_DIRECTORY, CONFIG_FILE)) || at === dirname(at)) break;
  }
  if (gitDir === undefined) return { path: start };
  return {
    path: start,
    notice: `git finds no repository here: "${start}" belongs to "${gitDir}", which is not open ` +
      "to the command; start where both lie in one repository, such as with a work tree below it",
  };
}

/** A repository of somebody else's would let them choose what is opened. */
function isUsable(cwd: string, repository: Deno.FileInfo, env: Environment): boolean {
  const homes = env.HOME ? [env.HOME, realPath(env.HOME)] : [];
  const hidden = [stateDir(env), dataDir(env)].map(realPath);
  return repository.uid === Deno.uid() && checkWorkspace({ cwd, homes, hidden }).ok;
}
