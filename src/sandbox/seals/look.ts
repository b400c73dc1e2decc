import { basename, dirname } from "../../core/path.ts";
import { entryAt, isWithin } from "../paths.ts";

/** What is at a path itself, links not followed; `undefined` for nothing. */
export type Look = (path: string) => Deno.FileInfo | undefined;

/**
 * Looks into each directory of `workspace` once. To be told by an error that something is not there
 * takes many times as long, and most of what is sealed is not.
 */
export function lookingOnce(workspace: string): Look {
  const names = new Map<string, ReadonlySet<string> | undefined>();
  const look: Look = (path) => {
    if (path === workspace || !isWithin(path, workspace)) return entryAt(path);
    const among = namesIn(dirname(path));
    return among === undefined || among.has(basename(path)) ? entryAt(path) : undefined;
  };
  const namesIn = (directory: string) => {
    if (!names.has(directory)) names.set(directory, listed(directory, look));
    return names.get(directory);
  };
  return look;
}

/** The names in a directory, none where there is no directory; `undefined` if they are not ours to see. */
function listed(directory: string, look: Look): ReadonlySet<string> | undefined {
  if (!look(directory)?.isDirectory) return new Set();
  try {
    return new Set([...Deno.readDirSync(directory)].map(({ name }) => name));
  } catch {
    return undefined;
  }
}
