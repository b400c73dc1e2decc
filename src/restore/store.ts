/**
 * Where snapshots lie: `snapshots/<workspace>/<id>/` of the data directory, which no sandbox shows.
 * A snapshot counts once its manifest is there; what it shares with earlier ones stays in their
 * directories for as long as anything refers to it.
 */
import { dataDir, ensurePrivateDirectory, type Environment, fileKey } from "../config/paths.ts";
import { isId } from "../core/id.ts";
import { join } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";
import {
  type Manifest,
  manifestLines,
  parseHeader,
  parseManifest,
  type SnapshotHeader,
} from "./manifest.ts";

const MANIFEST = "manifest.jsonl";
const LOCK = "lock";
/** Longer first lines are none of firma's: they name at most the files of a thousand snapshots. */
const HEADER_BYTES = 16 << 20;
/** How much of a manifest is gathered before it is written. */
const PIECE = 1 << 20;

/** The directory of all snapshots. */
export function snapshotsDir(env: Environment): string {
  return join(dataDir(env), "snapshots");
}

/** The directory of the snapshots of one workspace, by its real path. */
export function storeDir(env: Environment, workspace: string): string {
  return join(snapshotsDir(env), fileKey(workspace));
}

/** Makes the directory of a store, and of a snapshot in it. */
export function makeSnapshotDirectory(
  env: Environment,
  workspace: string,
  id: string,
): Result<string> {
  const store = storeDir(env, workspace);
  for (const directory of [snapshotsDir(env), store, join(store, id)]) {
    const made = ensurePrivateDirectory(directory);
    if (!made.ok) return made;
  }
  return ok(join(store, id));
}

/**
 * Holds off other processes that change the store: alone, or together with others that only read.
 * To be disposed of.
 */
export function lockStore(store: string, exclusive: boolean): Disposable {
  const file = Deno.openSync(join(store, LOCK), { write: true, create: true, mode: 0o600 });
  file.lockSync(exclusive);
  return file;
}

/** Writes a manifest, with which the snapshot begins to count. */
export function writeManifest(directory: string, manifest: Manifest): void {
  const draft = join(directory, `${MANIFEST}.part`);
  {
    using file = Deno.openSync(draft, { write: true, createNew: true, mode: 0o600 });
    const encoder = new TextEncoder();
    let piece = "";
    const flush = () => {
      const bytes = encoder.encode(piece);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      piece = "";
    };
    for (const line of manifestLines(manifest)) {
      piece += line;
      if (piece.length >= PIECE) flush();
    }
    flush();
  }
  Deno.renameSync(draft, join(directory, MANIFEST));
}

/** Reads a whole snapshot. */
export function readManifest(store: string, id: string): Result<Manifest> {
  try {
    return parseManifest(Deno.readTextFileSync(join(store, id, MANIFEST)));
  } catch (cause) {
    return err(noSnapshot(id, cause));
  }
}

function noSnapshot(id: string, cause?: unknown) {
  return {
    code: "NO_SNAPSHOT",
    message: `Cannot find a snapshot of "${id}"`,
    cure: "firma restore lists those that are there",
    cause,
  };
}

/** The headers of the snapshots in a store, the oldest first. */
export function headersIn(store: string): SnapshotHeader[] {
  return idsIn(store).flatMap((id) => {
    const header = readHeader(join(store, id, MANIFEST));
    return header === undefined ? [] : [header];
  });
}

/** The headers of all snapshots of this user with the store that each is in, the oldest first. */
export function allSnapshots(
  env: Environment,
): { readonly store: string; readonly header: SnapshotHeader }[] {
  const root = snapshotsDir(env);
  return namesIn(root)
    .map((name) => join(root, name))
    .flatMap((store) => headersIn(store).map((header) => ({ store, header })))
    .sort((a, b) => a.header.takenMs - b.header.takenMs);
}

/** Ids of what lies in a store, complete or not, in the order they were made in. */
export function idsIn(store: string): string[] {
  return namesIn(store).filter((name) => isId("sbx", name)).sort();
}

/** Tells whether a snapshot counts. */
export function isComplete(store: string, id: string): boolean {
  return readHeader(join(store, id, MANIFEST)) !== undefined;
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
}

function readHeader(path: string): SnapshotHeader | undefined {
  try {
    using file = Deno.openSync(path);
    const decoder = new TextDecoder();
    const piece = new Uint8Array(64 * 1024);
    let text = "";
    while (!text.includes("\n") && text.length < HEADER_BYTES) {
      const length = file.readSync(piece);
      if (length === null) break;
      text += decoder.decode(piece.subarray(0, length), { stream: true });
    }
    const header = parseHeader(text.split("\n", 1)[0]!);
    return header.ok ? header.value : undefined;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

/** Removes a manifest, so that the snapshot counts no more; what others need of it stays. */
export function forgetSnapshot(store: string, id: string): void {
  Deno.removeSync(join(store, id, MANIFEST));
}
