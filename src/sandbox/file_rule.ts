import type { Mount } from "./mounts.ts";
import { isWithin, realPath } from "./paths.ts";

/** What an agent would do with what a sandbox shows. */
export type FileAccess = "read" | "write";

/** The policies that forbid an access to a path; none: it is not forbidden. */
export type FileRule = (access: FileAccess, path: string) => readonly string[];

/** What policies took from what a sandbox would show. */
export interface ShapedPath {
  readonly path: string;
  readonly access: "read-only" | "hidden";
  /** For the operator. */
  readonly why: string;
}

/** What a sandbox would show without policies. Paths may have symbolic links in them. */
export interface Candidates {
  readonly cwd: string;
  readonly settings: readonly string[];
  readonly readable: readonly string[];
  readonly toolchains: readonly Mount[];
}

/** What is left of {@linkcode Candidates}; nothing in it is more than they had. */
export interface Shaped extends Omit<Candidates, "cwd"> {
  readonly cwdAccess: "writable" | "read-only" | "hidden";
  readonly shaped: readonly ShapedPath[];
}

/** Asks the policies about each path that would be shown. */
export function shapeByPolicy(candidates: Candidates, rule: FileRule | undefined): Shaped {
  const { cwd, settings, readable, toolchains } = candidates;
  if (rule === undefined) {
    return { settings, readable, toolchains, cwdAccess: "writable", shaped: [] };
  }
  const shaped: ShapedPath[] = [];
  const permitted = (access: FileAccess, path: string) => {
    // By either name: a link must not lead past a policy.
    const ids = new Set([path, realPath(path)].flatMap((name) => [...rule(access, name)]));
    if (ids.size === 0) return true;
    const policies = [...ids].sort().map((id) => `"${id}"`).join(", ");
    const why = `policy ${policies} forbids filesystem.${access}`;
    shaped.push({ path, access: access === "write" ? "read-only" : "hidden", why });
    return false;
  };
  const shown = settings.filter((path) => permitted("read", path));
  const writable = shown.filter((path) => permitted("write", path));
  const cwdAccess = !permitted("read", cwd)
    ? "hidden"
    : permitted("write", cwd)
    ? "writable"
    : "read-only";
  return {
    settings: writable,
    readable: [
      ...readable.filter((path) => permitted("read", path)),
      ...shown.filter((path) => !writable.includes(path)),
    ],
    toolchains: toolchains.filter(({ target }) => permitted("read", target)),
    cwdAccess,
    shaped,
  };
}

/** What of the shaped paths lies in something else that is shown, and would be seen through that. */
export function shapedWithin(
  shaped: readonly ShapedPath[],
  shown: readonly string[],
): readonly ShapedPath[] {
  return shaped.filter(({ path }) =>
    shown.some((root) => root !== path && isWithin(realPath(path), root))
  );
}
