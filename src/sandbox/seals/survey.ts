import { dirname, join, resolve } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { isWithin } from "../paths.ts";
import { type GuardedFile, snapshot } from "./guarded_files.ts";
import { type Look, lookingOnce } from "./look.ts";
import { SEALED_PLACES, UNMADE_PLACES } from "./places.ts";
import type { Placeholder } from "./placeholders.ts";
import { findRepositories, namedBySettings, type Repository } from "./repositories.ts";
import { type ResolvedPlace, resolvePlace } from "./resolve.ts";

/** Where to look, and what to leave out. */
export interface SurveyOptions {
  /** Real path of the directory that is opened to the command. */
  readonly workspace: string;
  /** Where in it the command starts: people open that in their editors, too. @default {workspace} */
  readonly startIn?: string;
  /** The operator's exceptions, relative to the workspace or absolute. */
  readonly allowWrite: readonly string[];
}

/** A place to be sealed, and where it really is. */
export interface Place extends ResolvedPlace {
  readonly kind: Placeholder["kind"];
  readonly why: string;
}

/** What is to be sealed in a workspace, and what is to be looked at after a run. */
export interface Survey {
  readonly places: readonly Place[];
  readonly guarded: readonly Pick<GuardedFile, "path" | "guards">[];
  readonly repositories: readonly Repository[];
  readonly look: Look;
}

/** A place by its name. */
interface Wanted {
  readonly path: string;
  readonly kind: Placeholder["kind"];
  readonly why: string;
  readonly onlyWith?: "itself" | "parent" | undefined;
}

/** Finds what is to be sealed in a workspace; changes nothing. */
export function surveyWorkspace(
  { workspace, startIn = workspace, allowWrite }: SurveyOptions,
): Result<Survey> {
  const allowed = allowWrite.map((path) => resolve(workspace, path));
  const look = lookingOnce(workspace);
  const repositories = findRepositories(workspace);
  const tops = [...new Set([workspace, startIn])];
  const wanted = wantedPlaces(workspace, tops, repositories);
  const files = repositories.flatMap((repository) => filesOfGit(repository, workspace));
  const useless = uselessException(allowed, [...wanted.map(({ path }) => path), ...files]);
  if (useless !== undefined) return useless;
  const isOpen = (path: string) => allowed.some((open) => isWithin(path, open));
  const places = wanted.filter(({ path }) => !isOpen(path)).map((place): Place => {
    const { path, links } = resolvePlace(place.path, workspace, look);
    const needed = path === undefined ? undefined : { itself: path, parent: dirname(path) };
    const isSkipped = needed && place.onlyWith && !look(needed[place.onlyWith]);
    return { path: isSkipped ? undefined : path, links, kind: place.kind, why: place.why };
  });
  const unmade = tops.flatMap((top) => UNMADE_PLACES.map((name) => join(top, name)))
    .filter((path) => !look(path));
  const guarded: Survey["guarded"] = [
    ...files.map((path) => ({
      path,
      guards: path.endsWith("commondir") ? "whole" as const : "settings" as const,
    })),
    ...unmade.map((path) => ({ path, guards: "whole" as const })),
  ];
  return ok({
    places,
    guarded: guarded.filter(({ path }) => !isOpen(path)),
    repositories,
    look,
  });
}

/** What is to be sealed: at each of `tops` whether it is there or not, elsewhere if it is. */
function wantedPlaces(
  workspace: string,
  tops: readonly string[],
  repositories: readonly Repository[],
): Wanted[] {
  const wanted: Wanted[] = [];
  const nested = repositories.map(({ root }) => root)
    .filter((root) => !tops.includes(root) && !root.includes("/.git/"));
  for (const root of [...tops, ...nested]) {
    for (const { path, kind, runs, onlyWith } of SEALED_PLACES) {
      const only = tops.includes(root) ? onlyWith : "itself";
      wanted.push({ path: join(root, path), kind, why: runs, onlyWith: only });
    }
  }
  const why = "firma takes policies from there";
  wanted.push({ path: join(workspace, ".firma"), kind: "directory", why });
  for (const repository of repositories) {
    const { pointer, gitDir, commonDir } = repository;
    if (pointer !== undefined) {
      wanted.push({ path: pointer, kind: "file", why: "leads git to settings and hooks" });
    }
    if (gitDir !== commonDir && isWithin(gitDir, workspace)) {
      // It also keeps the directory of the work tree's own settings in its place.
      const path = join(gitDir, "commondir");
      wanted.push({ path, kind: "file", why: "leads git to settings and hooks" });
    }
    if (!isWithin(commonDir, workspace)) continue;
    const why = "git runs its hooks";
    wanted.push({ path: join(commonDir, "hooks"), kind: "directory", why });
    const config = snapshot(join(commonDir, "config"));
    for (const named of config.kind === "file" ? namedBySettings(repository, config.text) : []) {
      if (!isWithin(named, workspace) || named === workspace) continue;
      wanted.push({
        path: named,
        kind: "directory",
        why: "git runs hooks or takes settings there",
      });
    }
  }
  return wanted;
}

/** Files of a repository's that git itself writes, and that can make it run programs. */
function filesOfGit({ gitDir, commonDir }: Repository, workspace: string): string[] {
  const files = ["config", "config.worktree"].map((name) => join(commonDir, name));
  files.push(join(gitDir, gitDir === commonDir ? "commondir" : "config.worktree"));
  return files.filter((path) => isWithin(path, workspace));
}

/** An exception that opens nothing is a mistake that somebody would rely on. */
function uselessException(
  allowed: readonly string[],
  sealed: readonly string[],
): Result<never> | undefined {
  const useless = allowed.find((open) =>
    open.endsWith("/.firma") || open.includes("/.firma/") ||
    !sealed.some((path) => isWithin(path, open) && !path.endsWith("/.firma"))
  );
  if (useless === undefined) return undefined;
  const isConfiguration = /\/\.firma(\/|$)/.test(useless);
  return err({
    code: "NOT_SEALED",
    message: `Cannot open "${useless}" to the command: ${
      isConfiguration ? "no agent may write there" : "nothing there is sealed"
    }`,
    cure: "--print-effective-config lists what is sealed, and why",
  });
}
