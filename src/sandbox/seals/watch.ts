import { basename, dirname } from "../../core/path.ts";
import { entryAt } from "../paths.ts";
import { type GuardedFile, undoChanges } from "./guarded_files.ts";

/** How long changes are collected before they are looked at, in milliseconds. */
const PAUSE_MS = 20;
/** How often firma lets the agent's git go first. One that never ends is no git. */
const MOST_WAITS = 25;

/**
 * Undoes changes of git's own files at once while a run goes on: an editor that has the workspace
 * open asks git for its status all the time. `tell` hears each thing once. Returns how to stop.
 */
export function watchGuarded(
  guarded: readonly GuardedFile[],
  tell: (text: string) => void,
): () => void {
  const files = new Map(guarded.filter(isOfGit).map((file) => [file.path, file]));
  const directories = new Set([...files.keys()].map(dirname).filter((path) => entryAt(path)));
  if (directories.size === 0) return () => {};
  const told = new Set<string>();
  const changed = new Set<GuardedFile>();
  const waits = new Map<GuardedFile, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const undo = () => {
    timer = undefined;
    for (const file of [...changed]) {
      const waited = waits.get(file) ?? 0;
      const { isBusy, text } = attempt(file, waited >= MOST_WAITS);
      if (isBusy) {
        waits.set(file, waited + 1);
        continue;
      }
      changed.delete(file);
      waits.delete(file);
      if (text === undefined || told.has(text)) continue;
      told.add(text);
      tell(text);
    }
    if (changed.size > 0) timer = setTimeout(undo, PAUSE_MS);
  };
  let watcher: Deno.FsWatcher;
  try {
    watcher = Deno.watchFs([...directories], { recursive: false });
  } catch {
    return () => {}; // no watches are left on this machine; all is undone at the end
  }
  void (async () => {
    for await (const { paths } of watcher) {
      for (const path of paths) {
        const file = files.get(path);
        if (file) changed.add(file);
      }
      if (changed.size > 0) timer ??= setTimeout(undo, PAUSE_MS);
    }
  })().catch(() => {}); // a directory went away
  return () => {
    if (timer !== undefined) clearTimeout(timer); // which would load Deno's timers
    watcher.close();
  };
}

/** Other guarded places are the agent's to use until it ends. */
function isOfGit({ path, guards }: GuardedFile): boolean {
  return guards === "settings" || basename(path) === "commondir";
}

function attempt(
  file: GuardedFile,
  isOver: boolean,
): { readonly isBusy: boolean; readonly text?: string | undefined } {
  try {
    const undone = undoChanges(file, isOver);
    return { isBusy: false, text: undone && `the run changed "${file.path}": ${undone}` };
  } catch (cause) {
    // The agent is at it still; what stays is undone at the end.
    return { isBusy: cause instanceof Deno.errors.Busy };
  }
}
