import { dirname, join, resolve } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { isWithin } from "../paths.ts";
import { type GuardedFile, snapshot } from "./guarded_files.ts";
import { lookingOnce } from "./look.ts";
import { emptyContent, SEALED_PLACES } from "./places.ts";
import { makePlaceholder, type Placeholder, placeholdersFor } from "./placeholders.ts";
import { otherRecords, type SealRecord, withSealLock, writeRecord } from "./record.ts";
import { recoverSeals, releaseSeals } from "./release.ts";
import { findRepositories, namedBySettings, type Repository } from "./repositories.ts";
import { resolvePlace } from "./resolve.ts";

/** What is to be sealed. */
export interface SealOptions {
  /** Real path of the working directory. */
  readonly workspace: string;
  /** Of this run; the directories of other runs lie beside it. */
  readonly runDir: string;
  /** The operator's exceptions, relative to the workspace or absolute. */
  readonly allowWrite: readonly string[];
}

/** A path that the agent may read and not write. */
export interface SealedPath {
  readonly path: string;
  /** For a file that does not exist: what it reads as. */
  readonly reads?: string;
  readonly why: string;
}

/** A workspace whose sealed paths all exist now, some as placeholders. */
export interface SealedWorkspace {
  readonly paths: readonly SealedPath[];
  /** Placeholders that git would show as new files, relative to the workspace. */
  readonly unversioned: readonly string[];
  /** What was left by runs that were killed and is set right now; a line each, not escaped. */
  readonly notices: readonly string[];
  /** Sets right what the run left behind; returns what a person has to know. */
  release(): string[];
}

/** A place before anything is done about it. */
interface Wanted {
  /** By name; links on the way are followed later. */
  readonly path: string;
  readonly kind: Placeholder["kind"];
  readonly why: string;
  readonly onlyExisting?: boolean | undefined;
}

/** Makes sure that everything to be sealed exists, and remembers how to set it right again. */
export function sealWorkspace(options: SealOptions): Result<SealedWorkspace> {
  const { workspace, runDir } = options;
  const allowed = options.allowWrite.map((path) => resolve(workspace, path));
  const runsDir = dirname(runDir);
  return withSealLock(runsDir, () => {
    const notices = recoverSeals(runsDir, runDir);
    const look = lookingOnce(workspace);
    const repositories = findRepositories(workspace);
    const places = wantedPlaces(workspace, repositories);
    const files = repositories.flatMap((repository) => guardedFiles(repository, workspace));
    const useless = uselessException(allowed, [...places.map(({ path }) => path), ...files]);
    if (useless !== undefined) return useless;
    const isOpen = (path: string) => allowed.some((open) => isWithin(path, open));

    const living = otherRecords(runsDir, runDir).map(({ record }) => record);
    const guarded = new Map<string, GuardedFile>();
    const guard = (path: string, guards: GuardedFile["guards"]) => {
      // What another run has seen before its agent could change it counts.
      const seen = living.flatMap((record) => record.guarded).find((file) => file.path === path);
      guarded.set(path, seen ?? { path, guards, before: snapshot(path, look) });
    };
    const placeholders = new Map<string, Placeholder>();
    const ofOthers = new Map(
      living.flatMap((record) => record.placeholders).map((one) => [one.path, one]),
    );
    const paths = new Map<string, SealedPath>();
    for (const { path, kind, why, onlyExisting } of places) {
      if (isOpen(path)) continue;
      const place = resolvePlace(path, workspace, look);
      for (const link of place.links) guard(link, "whole");
      if (place.path === undefined || onlyExisting && !look(place.path)) continue;
      const made = placeholdersFor(place.path, kind, look);
      for (const one of made) placeholders.set(one.path, one);
      for (let at = place.path; at !== workspace; at = dirname(at)) {
        const shared = ofOthers.get(at);
        if (shared) placeholders.set(at, shared);
      }
      const isEmptyFile = kind === "file" && placeholders.has(place.path);
      paths.set(place.path, {
        path: place.path,
        why,
        ...(isEmptyFile && { reads: emptyContent(place.path) }),
      });
    }
    for (const path of files) {
      if (!isOpen(path)) guard(path, path.endsWith("commondir") ? "whole" : "settings");
    }
    const record: SealRecord = {
      workspace,
      repositories: [...new Set(repositories.map(({ gitDir }) => gitDir))],
      placeholders: [...placeholders.values()].sort((a, b) => a.path.length - b.path.length),
      guarded: [...guarded.values()],
    };
    writeRecord(runDir, record);
    record.placeholders.forEach(makePlaceholder);
    return ok({
      paths: [...paths.values()],
      unversioned: record.placeholders.filter(({ kind }) => kind === "file")
        .map(({ path }) => path.slice(workspace.length + 1)),
      notices,
      release: () => releaseSeals(runsDir, runDir, record),
    });
  });
}

function wantedPlaces(workspace: string, repositories: readonly Repository[]): Wanted[] {
  const wanted: Wanted[] = [];
  const nested = repositories.map(({ root }) => root)
    .filter((root) => root !== workspace && !root.includes("/.git/"));
  for (const root of [workspace, ...nested]) {
    for (const { path, kind, runs, onlyExisting } of SEALED_PLACES) {
      const only = onlyExisting || root !== workspace;
      wanted.push({ path: join(root, path), kind, why: runs, onlyExisting: only });
    }
  }
  const why = "firma takes policies from there";
  wanted.push({ path: join(workspace, ".firma"), kind: "directory", why });
  for (const repository of repositories) {
    const { pointer, commonDir } = repository;
    if (pointer !== undefined) {
      wanted.push({ path: pointer, kind: "file", why: "leads git to settings and hooks" });
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
function guardedFiles({ gitDir, commonDir }: Repository, workspace: string): string[] {
  const files = ["config", "config.worktree"].map((name) => join(commonDir, name));
  files.push(join(gitDir, "commondir"));
  if (gitDir !== commonDir) files.push(join(gitDir, "config.worktree"));
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
