import { basename, dirname } from "../../core/path.ts";
import { entryAt, isWithin } from "../paths.ts";

/** What is at a path itself, links not followed; `undefined` for nothing. */
export type Look = (path: string) => Deno.FileInfo | undefined;

/**
 * Looks into each directory of `workspace` once. To be told by an error that something is not there
 * takes many times as long, and most of what is sealed is not.
 */
export function lookingOnce(workspace: string): Look {
  const names = new Map<string, ReadonlySet<string>>();
  const look: Look = (path) => {
    if (path === workspace || !isWithin(path, workspace)) return entryAt(path);
    return namesIn(dirname(path)).has(basename(path)) ? entryAt(path) : undefined;
  };
  const namesIn = (directory: string): ReadonlySet<string> => {
    let found = names.get(directory);
    if (!found) {
      const entries = look(directory)?.isDirectory ? Deno.readDirSync(directory) : [];
      found = new Set([...entries].map(({ name }) => name));
      names.set(directory, found);
    }
    return found;
  };
  return look;
}
