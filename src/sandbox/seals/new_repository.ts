import { join } from "../../core/path.ts";
import { isWithin } from "../paths.ts";
import { undoChanges } from "./guarded_files.ts";
import { disarmHooks } from "./hooks.ts";
import { type Repository, repositoryName } from "./repositories.ts";

/**
 * Takes from a repository that a run made what would make the host's git run programs. `known` are
 * the directories of repositories that were there before, whose hooks and settings are their
 * owner's. Returns what a person has to know, a line each; nothing escaped.
 */
export function disarmRepository(
  repository: Repository,
  workspace: string,
  known: ReadonlySet<string>,
): string[] {
  const { pointer, gitDir, commonDir } = repository;
  const name = repositoryName(repository, workspace);
  const told: string[] = [];
  const isForeign = (directory: string) => !known.has(directory) && !isWithin(directory, workspace);
  // A profile may let the agent write there, and what is there is not firma's to set right.
  if (isForeign(gitDir)) {
    if (pointer !== undefined) removeLead(pointer, told, `the run made a repository, ${name}`);
    return told;
  }
  if (isForeign(commonDir)) {
    removeLead(join(gitDir, "commondir"), told, `the run made a repository, ${name}`);
  }
  for (const directory of new Set([gitDir, commonDir])) {
    if (known.has(directory) || !isWithin(directory, workspace)) continue;
    const hooks = disarmHooks(join(directory, "hooks"));
    if (hooks.length > 0) {
      told.push(
        `the run made a repository, ${name}, with hooks, which are off: ${hooks.join(", ")}`,
      );
    }
    for (const file of ["config", "config.worktree"]) {
      const path = join(directory, file);
      const undone = undoChanges({ path, guards: "settings", before: { kind: "absent" } });
      if (undone) told.push(`the run made a repository, ${name}, whose ${file} was ${undone}`);
    }
  }
  return told;
}

/** Removes what leads git to settings and hooks beyond the workspace. */
function removeLead(path: string, told: string[], what: string): void {
  Deno.removeSync(path);
  told.push(`${what}, that leads git beyond the workspace: "${path}" is removed`);
}
