/**
 * Policies that their operator removed, for an Authority that runs: a policy file
 * that merely vanished is taken for an editor at work and stays in force. Kept in
 * the data directory, where no agent gets at it.
 */
import { join } from "../core/path.ts";
import { sha256 } from "../core/sha256.ts";
import { err, ok, type Result } from "../core/result.ts";
import { ensurePrivateDirectory } from "./paths.ts";
import { isTable } from "./reader.ts";

/** Older ones no longer matter: who runs for longer has read them. */
const KEPT = 64;

/** A removal that its operator meant. */
interface Removal {
  /** Name of the file in its directory. */
  readonly file: string;
  /** SHA-256 of what it held, hex. */
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly at_ms: number;
}

function recordFile(projectDataDir: string): string {
  return join(projectDataDir, "removed-policies.json");
}

function read(projectDataDir: string): readonly Removal[] {
  try {
    const removals: unknown = JSON.parse(Deno.readTextFileSync(recordFile(projectDataDir)));
    return Array.isArray(removals) ? removals.filter(isRemoval) : [];
  } catch {
    return []; // nothing was removed, or nobody can tell: then it stays in force
  }
}

function isRemoval(value: unknown): value is Removal {
  return isTable(value) && typeof value["file"] === "string" &&
    typeof value["digest"] === "string" && typeof value["at_ms"] === "number";
}

/** Notes that the operator removed policies, by name of file and what it held. */
export function recordRemovals(
  projectDataDir: string,
  removed: readonly { readonly file: string; readonly text: string }[],
  nowMs: number = Date.now(),
): Result<void> {
  const made = ensurePrivateDirectory(projectDataDir);
  if (!made.ok) return made;
  const file = recordFile(projectDataDir);
  const added = removed.map(({ file, text }): Removal => ({
    file,
    digest: sha256(text),
    at_ms: nowMs,
  }));
  try {
    const draft = `${file}.${crypto.randomUUID().slice(0, 8)}`;
    const all = [...read(projectDataDir), ...added].slice(-KEPT);
    Deno.writeTextFileSync(draft, JSON.stringify(all), { createNew: true, mode: 0o600 });
    Deno.renameSync(draft, file);
    return ok(undefined);
  } catch (cause) {
    return err({
      code: "REMOVAL_NOT_RECORDED",
      message: `Cannot record what was removed in "${file}": ${
        cause instanceof Error ? cause.message : cause
      }`,
      cause,
    });
  }
}

/** Tells whether the operator removed a file that held `text`, and did so after `sinceMs`. */
export function wasRemoved(
  projectDataDir: string,
  { file, text, sinceMs }: {
    readonly file: string;
    readonly text: string;
    readonly sinceMs: number;
  },
): boolean {
  const digest = sha256(text);
  return read(projectDataDir).some((removal) =>
    removal.file === file && removal.digest === digest && removal.at_ms >= sinceMs
  );
}
