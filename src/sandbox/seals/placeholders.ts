import { dirname } from "../../core/path.ts";
import { entryAt } from "../paths.ts";
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

/** Makes a placeholder; what is there already stays. */
export function makePlaceholder({ path, kind }: Placeholder): void {
  try {
    if (kind === "directory") Deno.mkdirSync(path);
    else Deno.openSync(path, { write: true, createNew: true }).close();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
  }
}

/** Tells whether nobody has put anything there. */
export function isUntouched({ path, kind }: Placeholder): boolean {
  const entry = entryAt(path);
  if (kind === "file") return entry?.isFile === true && entry.size === 0;
  return entry?.isDirectory === true && [...Deno.readDirSync(path)].length === 0;
}

/** Removes a placeholder that nobody has put anything into. */
export function removePlaceholder(placeholder: Placeholder): void {
  if (isUntouched(placeholder)) Deno.removeSync(placeholder.path);
}
