import { isMissing } from "./file.ts";
import type { Programs } from "./program.ts";

/** Counting ends here: policies tell few from many. */
const MOST_FILES = 10_000;

/**
 * How many files some paths of a process hold; what does not exist holds none. Links are counted
 * and not followed. `undefined` where that cannot be told. There may be more than `most`.
 */
export function countFiles(
  programs: Programs,
  pid: number,
  paths: readonly string[],
  recursive: boolean,
  most = MOST_FILES,
): number | undefined {
  let files = 0;
  for (const path of paths) {
    const full = programs.absolute(pid, path);
    if (full === undefined) return undefined;
    const pending = [`/proc/${pid}/root${full}`];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      // An exception for what is not there would take longer than all else.
      if (isMissing(next)) continue;
      try {
        const { isDirectory } = Deno.lstatSync(next);
        if (!isDirectory || !recursive) files++;
        else for (const { name } of Deno.readDirSync(next)) pending.push(`${next}/${name}`);
      } catch (cause) {
        if (!(cause instanceof Deno.errors.NotFound)) return undefined;
      }
      if (files >= most || pending.length >= most) return most;
    }
  }
  return files;
}
