/** Writes what was planned: all of it, or, where that can be known beforehand, nothing. */
import { entryOf } from "../entry.ts";
import { dirname, join } from "../../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { CONFIG_FILE } from "../discover.ts";
import { writeDirectory } from "../scaffold.ts";
import type { FileChange, SetupPlan } from "./plan.ts";
import type { Project } from "./project.ts";

const OWNER_WRITES = 0o200;

function refuse(path: string, state: string, cure?: string): { ok: false; error: FirmaError } {
  return err({
    code: "CONFIG_NOT_WRITTEN",
    message: `Cannot write "${path}": ${state}`,
    ...(cure && { cure }),
  });
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Checks that a file is still what the plan was made for, and in no other place than it seems. */
function checkTarget(directory: string, { path, before }: FileChange): Result<void> {
  const file = join(directory, path);
  for (let folder = dirname(file); folder.length >= directory.length; folder = dirname(folder)) {
    if (entryOf(folder)?.isSymlink) {
      return refuse(file, `"${folder}" is a symbolic link`, "make it a directory");
    }
  }
  const found = entryOf(file);
  if (found?.isSymlink) return refuse(file, "it is a symbolic link", "make it a file");
  if (found !== undefined && ((found.mode ?? 0) & OWNER_WRITES) === 0) {
    return refuse(file, "it is read-only", `chmod u+w makes it writable`);
  }
  const now = found === undefined ? undefined : Deno.readTextFileSync(file);
  if (now === before) return ok(undefined);
  return refuse(file, "it changed in the meantime", "start again");
}

interface Draft {
  readonly draft: string;
  readonly file: string;
}

function writeDraft(directory: string, { path, after }: FileChange): Draft {
  const file = join(directory, path);
  const draft = `${file}.${crypto.randomUUID().slice(0, 8)}`;
  const mode = (entryOf(file)?.mode ?? 0o644) & 0o777;
  Deno.mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  Deno.writeTextFileSync(draft, after!, { createNew: true, mode });
  return { draft, file };
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It has got its name, or was never there.
  }
}

/** What is removed goes last, and the file that names the others after those. */
function inOrder(changes: readonly FileChange[]): FileChange[] {
  const rank = ({ path, after }: FileChange) =>
    after === undefined ? 2 : path === CONFIG_FILE ? 1 : 0;
  return changes.toSorted((a, b) => rank(a) - rank(b));
}

/** Writes the changes; gives the path of `firma.toml`. */
export function applyPlan({ directory, existing }: Project, plan: SetupPlan): Result<string> {
  const file = join(directory, CONFIG_FILE);
  if (existing === undefined) {
    return writeDirectory(
      directory,
      plan.changes.map(({ path, after }) => ({ path, text: after ?? "" })),
    );
  }
  const drafts: Draft[] = [];
  const changes = inOrder(plan.changes);
  try {
    for (const change of changes) {
      const usable = checkTarget(directory, change);
      if (!usable.ok) return usable;
    }
    for (const change of changes) {
      if (change.after !== undefined) drafts.push(writeDraft(directory, change));
    }
    for (const { draft, file } of drafts) Deno.renameSync(draft, file);
    for (const { path, after } of changes) {
      if (after === undefined) Deno.removeSync(join(directory, path));
    }
    return ok(file);
  } catch (cause) {
    return refuse(directory, reason(cause), "make it writable for you");
  } finally {
    for (const { draft } of drafts) removeQuietly(draft);
  }
}
