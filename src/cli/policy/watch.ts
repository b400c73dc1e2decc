import { dirname, resolve } from "../../core/path.ts";
import { isDirectory } from "./sources.ts";

/** Editors write in several steps; what follows within this time belongs to the same edit. */
const SETTLE_MS = 100;

/** Waits for changes of files, which may be added to. */
export interface Watch {
  add(paths: readonly string[]): void;
  /** Resolves once something changed since the watch began and has come to rest; ends the watch. */
  next(): Promise<void>;
}

/**
 * Starts to watch files and directories. A file is watched through its directory,
 * because editors replace it.
 */
export function watchPaths(paths: readonly string[], signal: AbortSignal): Watch {
  const watchers: Deno.FsWatcher[] = [];
  const changed = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const noted = () => {
    clearTimeout(timer);
    timer = setTimeout(changed.resolve, SETTLE_MS);
  };
  const end = () => changed.resolve();
  signal.addEventListener("abort", end);

  async function follow(path: string): Promise<void> {
    const directory = isDirectory(path);
    const watcher = Deno.watchFs(directory ? path : dirname(path), { recursive: directory });
    watchers.push(watcher);
    for await (const event of watcher) {
      const concerns = directory || event.paths.includes(path);
      if (concerns && event.kind !== "access") noted();
    }
  }

  const add = (more: readonly string[]) => {
    for (const path of more.map((path) => resolve(path))) {
      // What is not there cannot be watched; the run says that it is missing.
      follow(path).catch(() => {});
    }
  };
  add(paths);
  return {
    add,
    async next() {
      await changed.promise;
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      for (const watcher of watchers) watcher.close();
    },
  };
}
