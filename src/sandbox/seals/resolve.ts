import { dirname, join } from "../../core/path.ts";
import { exists, isWithin, realPath } from "../paths.ts";
import type { Look } from "./look.ts";

/** Where a place really is. */
export interface ResolvedPlace {
  /** Real path, of what is not there as far as its parents are; `undefined` outside the workspace. */
  readonly path: string | undefined;
  /** Symbolic links in the workspace on the way: whoever replaces one replaces the place. */
  readonly links: readonly string[];
}

/** Follows the links on the way to `path`, which lies in `workspace` by its name. */
export function resolvePlace(path: string, workspace: string, look: Look): ResolvedPlace {
  const links: string[] = [];
  let at = workspace;
  const names = path.slice(workspace.length + 1).split("/");
  for (const [index, name] of names.entries()) {
    at = join(at, name);
    if (!look(at)?.isSymlink) continue;
    links.push(at);
    if (!exists(at)) return { path: undefined, links }; // it leads nowhere
    at = realPath(at);
    if (!isWithin(at, workspace)) return { path: undefined, links };
    const rest = names.slice(index + 1);
    if (rest.length === 0) break;
    const further = resolvePlace(join(at, ...rest), workspace, look);
    return { path: further.path, links: [...links, ...further.links] };
  }
  return { path: hasUsableParent(at, look) ? at : undefined, links };
}

/** A file where a directory would have to be: nothing can stand below it. */
function hasUsableParent(path: string, look: Look): boolean {
  const parent = look(dirname(path));
  return parent === undefined ? hasUsableParent(dirname(path), look) : parent.isDirectory;
}
