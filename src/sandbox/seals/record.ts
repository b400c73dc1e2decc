import { dirname, join } from "../../core/path.ts";
import type { GuardedFile } from "./guarded_files.ts";
import type { Placeholder } from "./placeholders.ts";

/** What has to be set right when a run is over, however it ended. */
export interface SealRecord {
  readonly workspace: string;
  /** Real paths of the repositories that were there before, and of where they have settings. */
  readonly repositories: readonly string[];
  readonly placeholders: readonly Placeholder[];
  readonly guarded: readonly GuardedFile[];
}

/** Name of a record in its run directory, which must not go before what it says is set right. */
export const SEAL_RECORD = "seals.json";
/** Held while records and placeholders change, by one process of this user at a time. */
const LOCK = "seals.lock";
/** Locked by a run as long as it lives. */
const OWNER_LOCK = "owner.lock";

/** Does something while no other process changes records. `runsDir` holds the run directories. */
export function withSealLock<T>(runsDir: string, change: () => T): T {
  using lock = Deno.openSync(join(dirname(runsDir), LOCK), {
    write: true,
    create: true,
    mode: 0o600,
  });
  lock.lockSync(true);
  return change();
}

/** Writes the record of the run that owns `runDir`; before anything of it is true. */
export function writeRecord(runDir: string, record: SealRecord): void {
  const draft = join(runDir, `${SEAL_RECORD}.part`);
  Deno.writeTextFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  Deno.renameSync(draft, join(runDir, SEAL_RECORD));
}

/** Forgets the record: everything in it is done. */
export function removeRecord(runDir: string): void {
  try {
    Deno.removeSync(join(runDir, SEAL_RECORD));
  } catch {
    // The directory is gone.
  }
}

/** A record and the run that it belongs to. */
export interface KeptRecord {
  readonly runDir: string;
  readonly record: SealRecord;
  /** Whether its run ended without setting things right. */
  readonly abandoned: boolean;
}

/** The records of all runs but that of `ownRunDir`. To be asked under the lock. */
export function otherRecords(runsDir: string, ownRunDir: string): KeptRecord[] {
  const found: KeptRecord[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(runsDir)) {
    const runDir = join(runsDir, name);
    if (!isDirectory || runDir === ownRunDir) continue;
    const record = readRecord(runDir);
    if (record) found.push({ runDir, record, abandoned: isAbandoned(runDir) });
  }
  return found;
}

function readRecord(runDir: string): SealRecord | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(join(runDir, SEAL_RECORD)));
  } catch {
    return undefined; // it sealed nothing, or ended in between
  }
}

/** A run has its lock before it has a record. */
function isAbandoned(runDir: string): boolean {
  try {
    using lock = Deno.openSync(join(runDir, OWNER_LOCK), { write: true });
    return lock.tryLockSync(true);
  } catch {
    return true;
  }
}
