import { join } from "../core/path.ts";
import { forgetSnapshot, headersIn, idsIn } from "./store.ts";

/** Which snapshots of a workspace stay. */
export interface Keep {
  /** At most so many. */
  readonly count: number;
  /** None that is older, in milliseconds. */
  readonly ageMs: number;
  /** These whatever else holds: their runs go on. */
  readonly isInUse: (id: string) => boolean;
}

/**
 * Removes snapshots that are not to stay, what runs that were killed have left, and contents that
 * nothing refers to any more. To be called with the store locked.
 */
export function pruneSnapshots(store: string, keep: Keep, nowMs: number = Date.now()): void {
  const headers = headersIn(store);
  const newest = new Set(headers.slice(-keep.count).map(({ id }) => id));
  const stays = headers.filter(({ id, takenMs }) =>
    keep.isInUse(id) || (newest.has(id) && nowMs - takenMs <= keep.ageMs)
  );
  const staying = new Set(stays.map(({ id }) => id));
  for (const { id } of headers) if (!staying.has(id)) forgetSnapshot(store, id);
  const needed = new Set(stays.flatMap(({ sources }) => sources));
  for (const id of idsIn(store)) {
    if (!staying.has(id) && !keep.isInUse(id)) sweep(store, id, needed);
  }
}

/** Removes what is left of a snapshot that does not count, but for contents that others refer to. */
function sweep(store: string, id: string, needed: ReadonlySet<string>): void {
  const directory = join(store, id);
  let isEmpty = true;
  for (const { name } of Deno.readDirSync(directory)) {
    if (needed.has(`${id}/${name}`)) isEmpty = false;
    else Deno.removeSync(join(directory, name));
  }
  if (isEmpty) Deno.removeSync(directory);
}
