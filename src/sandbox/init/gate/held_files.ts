import type { Execution, HeldFiles } from "../../../core/local_exec.ts";
import { countFiles } from "./count_files.ts";
import type { Programs } from "./program.ts";

/** With more arguments, or more files below one, it is better to be asked. */
const MOST_ARGUMENTS = 16;
const MOST_FILES = 256;

/**
 * How many files each argument holds of a program that `deleting` names, before anybody asks: the
 * Sidecar asks for nothing else then, which saves a question and its answer. What is not told here
 * it asks for.
 */
export function heldFiles(
  programs: Programs,
  pid: number,
  { names, argv }: Execution,
  deleting: ReadonlySet<string>,
): readonly HeldFiles[] | undefined {
  if (argv.length > MOST_ARGUMENTS || !names.some((name) => deleting.has(name))) return undefined;
  const held: HeldFiles[] = [];
  for (const path of new Set(argv.slice(1))) {
    if (path.startsWith("-")) continue;
    const files = countFiles(programs, pid, [path], false);
    if (files === undefined) continue;
    const below = files === 0 ? 0 : countFiles(programs, pid, [path], true, MOST_FILES);
    held.push(below === undefined || below >= MOST_FILES ? [path, files] : [path, files, below]);
  }
  return held;
}
