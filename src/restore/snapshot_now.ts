import { ensurePrivateDirectory, runsDir } from "../config/paths.ts";
import { join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import { Cancelled } from "./contents.ts";
import { caught } from "./libc.ts";
import type { Manifest } from "./manifest.ts";
import type { WatchOrder } from "./messages.ts";
import { pruneSnapshots } from "./prune.ts";
import {
  headersIn,
  isComplete,
  lockStore,
  makeSnapshotDirectory,
  readManifest,
  snapshotsDir,
  storeDir,
  writeManifest,
} from "./store.ts";
import { takeSnapshot } from "./take.ts";

/** A snapshot that shares contents with more files than this is followed by one that shares none. */
const MOST_SHARED = 24;

/** A snapshot that was taken. */
export interface Taken {
  readonly manifest: Manifest;
  readonly store: string;
}

/** Takes the snapshot of a run. Where that fails or is cancelled, nothing of it is left. */
export function snapshotNow(
  order: WatchOrder,
  onProgress: (files: number) => void,
): Result<Taken> {
  const { env, workspace, id } = order;
  const store = storeDir(env, workspace);
  for (const directory of [snapshotsDir(env), store]) {
    const made = ensurePrivateDirectory(directory);
    if (!made.ok) return made;
  }
  try {
    using _lock = lockStore(store, true);
    const directory = makeSnapshotDirectory(env, workspace, id);
    if (!directory.ok) return directory;
    try {
      const manifest = takeSnapshot({
        ...order,
        directory: directory.value,
        previous: previousIn(store),
        isCancelled: () => Atomics.load(order.cancelled, 0) === 1,
        onProgress,
      });
      writeManifest(directory.value, manifest);
      return ok({ manifest, store });
    } catch (cause) {
      Deno.removeSync(directory.value, { recursive: true });
      throw cause;
    }
  } catch (cause) {
    if (cause instanceof Cancelled) return err(cancelled(workspace));
    return caught({
      code: "SNAPSHOT_FAILED",
      message: `Cannot take a snapshot of "${workspace}"`,
    }, cause);
  }
}

/** The last snapshot, unless its contents are in too many places by now. */
function previousIn(store: string): Manifest | undefined {
  const last = headersIn(store).at(-1);
  if (last === undefined || last.sources.length > MOST_SHARED) return undefined;
  const manifest = readManifest(store, last.id);
  return manifest.ok ? manifest.value : undefined;
}

/** Removes snapshots that are too many or too old, those of runs that go on left out. */
export function pruneStore({ env, keepCount, keepMs }: WatchOrder, store: string): void {
  using _lock = lockStore(store, true);
  pruneSnapshots(store, {
    count: keepCount,
    ageMs: keepMs,
    isInUse: (id) => isComplete(store, id) && hasRunDirectory(env, id),
  });
}

function hasRunDirectory(env: WatchOrder["env"], id: string): boolean {
  try {
    return Deno.lstatSync(join(runsDir(env), id)).isDirectory;
  } catch {
    return false;
  }
}

function cancelled(workspace: string) {
  return { code: "SNAPSHOT_CANCELLED", message: `Cannot take a snapshot of "${workspace}": ended` };
}
