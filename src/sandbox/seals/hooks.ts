import { join } from "../../core/path.ts";
import { entryAt } from "../paths.ts";

const EXECUTABLE = 0o111;

/**
 * Takes the right to be executed from the hooks of a repository that was made during a run; git
 * leaves those alone. Returns their names.
 */
export function disarmHooks(directory: string): string[] {
  const entry = entryAt(directory);
  if (!entry) return [];
  if (entry.isSymlink) {
    Deno.removeSync(directory);
    return ["all, which were elsewhere"];
  }
  const disarmed: string[] = [];
  for (const { name } of entry.isDirectory ? Deno.readDirSync(directory) : []) {
    const path = join(directory, name);
    const hook = entryAt(path);
    if (!hook || name.endsWith(".sample")) continue;
    if (hook.isSymlink) Deno.removeSync(path);
    else if (hook.isFile && (hook.mode ?? 0) & EXECUTABLE) {
      Deno.chmodSync(path, (hook.mode ?? 0) & 0o777 & ~EXECUTABLE);
    } else continue;
    disarmed.push(name);
  }
  return disarmed.sort();
}
