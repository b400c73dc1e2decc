import type { HeldFiles } from "../../core/local_exec.ts";

/**
 * How many files some paths hold, by what the gate told with its question; `undefined` where it has
 * to be asked.
 */
export function filesAmong(
  held: readonly HeldFiles[],
  paths: readonly string[],
  recursive: boolean,
): number | undefined {
  let files = 0;
  for (const path of paths) {
    const [, itself, below] = held.find(([name]) => name === path) ?? [];
    const count = recursive ? below : itself;
    if (typeof count !== "number") return undefined;
    files += count;
  }
  return files;
}
