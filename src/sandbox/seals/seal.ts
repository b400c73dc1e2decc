import { dirname } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { entryAt } from "../paths.ts";
import { type GuardedFile, snapshot } from "./guarded_files.ts";
import { emptyContent } from "./places.ts";
import {
  makePlaceholder,
  type Placeholder,
  placeholdersFor,
  removePlaceholder,
} from "./placeholders.ts";
import {
  otherRecords,
  removeRecord,
  type SealRecord,
  withSealLock,
  writeRecord,
} from "./record.ts";
import { recoverSeals, releaseSeals } from "./release.ts";
import { type SurveyOptions, surveyWorkspace } from "./survey.ts";
import { watchGuarded } from "./watch.ts";

/** What is to be sealed, and for whom. */
export interface SealOptions extends SurveyOptions {
  /** Of this run; the directories of other runs lie beside it. */
  readonly runDir: string;
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
  /** Undoes what must not even wait for the end of the run; returns how to stop. */
  watch(tell: (text: string) => void): () => void;
  /** Sets right what the run left behind; returns what a person has to know. */
  release(): string[];
}

/** Makes sure that everything to be sealed exists, and remembers how to set it right again. */
export function sealWorkspace(options: SealOptions): Result<SealedWorkspace> {
  const { workspace, runDir } = options;
  const runsDir = dirname(runDir);
  return withSealLock(runsDir, () => {
    const notices = recoverSeals(runsDir, runDir);
    const survey = surveyWorkspace(options);
    if (!survey.ok) return survey;
    const { places, repositories, look } = survey.value;

    const living = otherRecords(runsDir, runDir).map(({ record }) => record);
    // What the agent of another run has made meanwhile is no more trusted than what this one makes.
    const isMadeByOther = (directory: string) =>
      living.some((other) =>
        other.workspace === workspace && !other.repositories.includes(directory)
      );
    const known = new Set(
      repositories.flatMap(({ gitDir, commonDir }) => [gitDir, commonDir])
        .filter((directory) => !isMadeByOther(directory)),
    );
    const guarded = new Map<string, GuardedFile>();
    const guard = (path: string, guards: GuardedFile["guards"]) => {
      // What another run has seen before its agent could change it counts.
      const seen = living.flatMap((record) => record.guarded).find((file) => file.path === path);
      const isTheirs = guards === "settings" && isMadeByOther(dirname(path));
      const before = isTheirs ? { kind: "absent" as const } : snapshot(path, look);
      guarded.set(path, seen ?? { path, guards, before });
    };
    const placeholders = new Map<string, Placeholder>();
    const ofOthers = new Map(
      living.flatMap((record) => record.placeholders).map((one) => [one.path, one]),
    );
    const paths = new Map<string, SealedPath>();
    for (const place of places) {
      for (const link of place.links) guard(link, "whole");
      if (place.path === undefined) continue;
      const { kind, why } = place;
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
    for (const { path, guards } of survey.value.guarded) guard(path, guards);
    const record: SealRecord = {
      workspace,
      repositories: [...known],
      placeholders: [...placeholders.values()].sort((a, b) => a.path.length - b.path.length),
      guarded: [...guarded.values()],
    };
    writeRecord(runDir, record);
    for (const placeholder of record.placeholders) {
      try {
        if (!makePlaceholder(placeholder)) paths.delete(placeholder.path);
      } catch (cause) {
        record.placeholders.toReversed().forEach(removePlaceholder);
        removeRecord(runDir);
        return cannotSeal(placeholder.path, cause);
      }
    }
    return ok({
      paths: [...paths.values()].filter(({ path }) => entryAt(path)),
      unversioned: record.placeholders.filter(({ kind }) => kind === "file")
        .map(({ path }) => path.slice(workspace.length + 1)),
      notices,
      watch: (tell) => watchGuarded(record.guarded, tell),
      release: () => releaseSeals(runsDir, runDir, record),
    });
  });
}

function cannotSeal(path: string, cause: unknown): Result<never> {
  return err({
    code: "SEAL_FAILED",
    message: `Cannot keep the command from writing "${path}": ${
      cause instanceof Error ? cause.message : cause
    }`,
    cure: `make it by hand, or open it: --allow-write ${path}`,
    cause,
  });
}
