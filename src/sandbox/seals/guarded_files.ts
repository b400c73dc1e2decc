import { dirname, resolve } from "../../core/path.ts";
import { findGit, readSettings } from "./git_program.ts";
import { type GitSetting, renderSettings, reviseSettings } from "./git_settings.ts";
import { entryAt, isWithin, realPath } from "../paths.ts";
import type { Look } from "./look.ts";

/** A file as it was before a run. */
export type Snapshot =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly text: string }
  | { readonly kind: "link"; readonly target: string }
  /** Something that nobody would make there, or that is too large to be remembered. */
  | { readonly kind: "other" };

/** A file that an agent may write, and what firma looks for in it afterwards. */
export interface GuardedFile {
  readonly path: string;
  /** `settings`: only what runs programs is undone; `whole`: any change is. */
  readonly guards: "settings" | "whole";
  readonly before: Snapshot;
}

const LARGEST = 1 << 20;

/** What is at `path` now. */
export function snapshot(path: string, look: Look = entryAt): Snapshot {
  const entry = look(path);
  if (!entry) return { kind: "absent" };
  try {
    if (entry.isSymlink) return { kind: "link", target: Deno.readLinkSync(path) };
    if (!entry.isFile || entry.size > LARGEST) return { kind: "other" };
    return { kind: "file", text: Deno.readTextFileSync(path) };
  } catch {
    return { kind: "other" };
  }
}

/**
 * Undoes what a run did to a guarded file, as far as it matters. Returns what was undone, for a
 * person, or `undefined`. Never follows a link that the run may have left there.
 *
 * @throws {Deno.errors.Busy} when the run is not over and its git is writing the settings
 */
export function undoChanges(
  { path, guards, before }: GuardedFile,
  isOver = true,
): string | undefined {
  const after = snapshot(path);
  if (sameSnapshot(before, after) || before.kind === "other") return undefined;
  // The repository itself is gone, and with it what could be run.
  if (!entryAt(dirname(path))?.isDirectory) return undefined;
  // It was a real path. Behind a link now, this would write wherever the link leads.
  if (realPath(dirname(path)) !== dirname(path)) {
    return "not undone: a directory above was replaced";
  }
  if (guards === "whole" || after.kind === "link" || after.kind === "other") {
    put(path, before);
    return "put back as it was";
  }
  const replace = (state: Snapshot) =>
    isOver || state.kind !== "file" ? put(path, state) : putAsGit(path, state.text, after);
  const [old, now] = [settingsOf(before), settingsOf(after)];
  if (old === undefined || now === undefined) {
    replace(before);
    return "put back as it was: git cannot read what it became";
  }
  const revision = reviseSettings(old, now, (setting) => leadsElsewhere(setting, path));
  if (revision === undefined) return undefined;
  replace({ kind: "file", text: renderSettings(revision.settings) });
  return `undone: ${revision.undone.join(", ")}`;
}

/**
 * Has git write files elsewhere than beside the repository: its next checkout would put those of
 * the repository into the home, for instance. The settings of a submodule lead to its own place.
 */
function leadsElsewhere({ key, value = "" }: GitSetting, file: string): boolean {
  if (key !== "core.worktree") return false;
  const gitDir = dirname(file);
  const [root] = `${gitDir}/`.split("/.git/", 1) as [string];
  return !isWithin(realPath(resolve(gitDir, value)), root === `${gitDir}/` ? gitDir : root);
}

function settingsOf(state: Snapshot) {
  if (state.kind === "absent") return [];
  const git = findGit();
  return state.kind === "file" && git !== undefined ? readSettings(git, state.text) : undefined;
}

function sameSnapshot(a: Snapshot, b: Snapshot): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Replaces whatever is at `path`, without writing through it, and a file in one step. */
function put(path: string, state: Snapshot): void {
  if (state.kind !== "file" || entryAt(path)?.isDirectory) {
    if (entryAt(path)) Deno.removeSync(path, { recursive: true });
  }
  if (state.kind === "link") Deno.symlinkSync(state.target, path);
  if (state.kind !== "file") return;
  const draft = `${path}.${crypto.randomUUID()}`;
  Deno.writeTextFileSync(draft, state.text, { createNew: true });
  Deno.renameSync(draft, path);
}

/**
 * Replaces settings as git does, under its lock, so that no change of the run's own git is lost;
 * and only where they still are what was looked at.
 */
function putAsGit(path: string, text: string, seen: Snapshot): void {
  const lock = `${path}.lock`;
  try {
    Deno.writeTextFileSync(lock, text, { createNew: true });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw new Deno.errors.Busy(lock);
    throw cause;
  }
  if (!sameSnapshot(snapshot(path), seen)) {
    Deno.removeSync(lock);
    throw new Deno.errors.Busy(path);
  }
  Deno.renameSync(lock, path);
}
