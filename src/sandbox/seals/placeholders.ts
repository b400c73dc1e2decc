import { dirname } from "../../core/path.ts";
import { entryAt, realPath } from "../paths.ts";
import type { Look } from "./look.ts";

/** Something empty that stands where a mount needs something to stand on. */
export interface Placeholder {
  readonly path: string;
  readonly kind: "directory" | "file";
}

/** The placeholders that `path` needs, outer directories first, `[]` where something is there. */
export function placeholdersFor(
  path: string,
  kind: Placeholder["kind"],
  look: Look,
): Placeholder[] {
  if (look(path)) return [];
  return [...placeholdersFor(dirname(path), "directory", look), { path, kind }];
}

/** The file system can be written by nobody (errno(3)). */
const READ_ONLY = "os error 30";

/**
 * Makes a placeholder; what is there already stays. `false` where this user may make nothing: then
 * the agent, who is the same user, may not either.
 *
 * @throws what else keeps it from being made.
 */
export function makePlaceholder({ path, kind }: Placeholder): boolean {
  try {
    if (kind === "directory") Deno.mkdirSync(path);
    else Deno.openSync(path, { write: true, createNew: true }).close();
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return true;
    if (cause instanceof Deno.errors.PermissionDenied) return false;
    // Within one that could not be made.
    if (cause instanceof Deno.errors.NotFound) return false;
    if (cause instanceof Error && cause.message.includes(READ_ONLY)) return false;
    throw cause;
  }
  return true;
}

/** Tells whether nobody has put anything there. */
export function isUntouched({ path, kind }: Placeholder): boolean {
  const entry = entryAt(path);
  if (kind === "file") return entry?.isFile === true && entry.size === 0;
  return entry?.isDirectory === true && [...Deno.readDirSync(path)].length === 0;
}

/** Removes a placeholder that nobody has put anything into. */
export function removePlaceholder(placeholder: Placeholder): void {
  const parent = dirname(placeholder.path);
  // It was a real path; behind a link now, something else would go.
  if (realPath(parent) === parent && isUntouched(placeholder)) Deno.removeSync(placeholder.path);
}
