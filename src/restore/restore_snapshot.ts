import type { Environment } from "../config/paths.ts";
import { resolve } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { bringBack, type BroughtBack } from "./bring_back.ts";
import { caught, ENOENT, SystemCallError } from "./libc.ts";
import type { Manifest, SnapshotHeader } from "./manifest.ts";
import { withRoot } from "./open_path.ts";
import { allSnapshots, lockStore, readManifest } from "./store.ts";
import { StoredContent } from "./stored_content.ts";

/** What somebody wants back. */
export interface RestoreRequest {
  readonly env: Environment;
  /** `sbx_…`, or `last`: the last one of the workspace that `cwd` is in. */
  readonly id: string;
  /** Real path of the directory that `paths` are read from. */
  readonly cwd: string;
  /** Files and directories; none for all. */
  readonly paths: readonly string[];
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What became of it. */
export interface Restored extends BroughtBack {
  readonly header: SnapshotHeader;
}

/** Stands for the last snapshot of a workspace. */
const LAST = "last";

/** Brings back what is wanted of a snapshot. */
export function restoreSnapshot(request: RestoreRequest): Result<Restored> {
  const { env, cwd, force, dryRun, onProgress } = request;
  const found = allSnapshots(env).findLast(({ header: { id, workspace } }) =>
    request.id === LAST ? `${cwd}/`.startsWith(`${workspace}/`) : id === request.id
  );
  if (found === undefined) {
    return err({
      code: "NO_SNAPSHOT",
      message: request.id === LAST
        ? `Cannot restore in "${cwd}": there is no snapshot of this directory`
        : `Cannot restore from "${request.id}": there is no snapshot of this name`,
      cure: "firma restore lists those that are there",
    });
  }
  const { store, header: { id, workspace } } = found;
  try {
    using _lock = lockStore(store, false);
    const manifest = readManifest(store, id);
    if (!manifest.ok) return manifest;
    const only = wantedPaths(request, manifest.value);
    if (!only.ok) return only;
    using content = new StoredContent(store, manifest.value.header);
    const back = withRoot(workspace, (root) =>
      bringBack({
        manifest: manifest.value,
        content,
        root,
        only: only.value,
        force,
        dryRun,
        ...(onProgress && { onProgress }),
      }));
    return ok({ header: manifest.value.header, ...back });
  } catch (cause) {
    if (cause instanceof SystemCallError && cause.errno === ENOENT) {
      return err({
        code: "WORKSPACE_GONE",
        message: `Cannot restore to "${workspace}": there is no such directory`,
        cure: "make the directory, then restore again",
      });
    }
    return caught({
      code: "RESTORE_FAILED",
      message: `Cannot restore to "${workspace}"`,
    }, cause);
  }
}

/** The paths that are wanted, below the workspace; absent for all. */
function wantedPaths(
  { cwd, paths }: RestoreRequest,
  { header: { workspace, id }, entries }: Manifest,
): Result<string[] | undefined> {
  if (paths.length === 0) return ok(undefined);
  const known = new Set(entries.map(({ path }) => path));
  const wanted: string[] = [];
  for (const path of paths) {
    const absolute = resolve(cwd, path);
    const below = absolute === workspace
      ? ""
      : absolute.startsWith(`${workspace}/`)
      ? absolute.slice(workspace.length + 1)
      : undefined;
    if (below === undefined || (below !== "" && !known.has(below))) {
      return err({
        code: "NOT_IN_SNAPSHOT",
        message: `Cannot restore "${path}": the snapshot of "${workspace}" does not hold it`,
        cure: `firma restore ${id} --dry-run lists what there is to bring back`,
      });
    }
    wanted.push(below);
  }
  return ok(wanted);
}
