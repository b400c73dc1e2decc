import { undoChanges } from "./guarded_files.ts";
import { disarmRepository } from "./new_repository.ts";
import { removePlaceholder } from "./placeholders.ts";
import { otherRecords, removeRecord, type SealRecord, withSealLock } from "./record.ts";
import { findRepositories } from "./repositories.ts";

/**
 * Sets right what a run left behind: its placeholders, settings of git that run programs, hooks of
 * repositories that it made. Returns what a person has to know, a line each; nothing escaped.
 */
export function releaseSeals(runsDir: string, runDir: string, record: SealRecord): string[] {
  return withSealLock(runsDir, () => {
    const recovered = recoverSeals(runsDir, runDir);
    const living = otherRecords(runsDir, runDir).map((other) => other.record);
    const told = setRight(record, living);
    removeRecord(runDir);
    return [...recovered, ...told];
  });
}

/** Sets right what runs left behind that were killed. To be called under the lock. */
export function recoverSeals(runsDir: string, ownRunDir: string): string[] {
  const records = otherRecords(runsDir, ownRunDir);
  const living = records.filter(({ abandoned }) => !abandoned).map(({ record }) => record);
  return records.filter(({ abandoned }) => abandoned).flatMap(({ runDir, record }) => {
    const told = setRight(record, living);
    removeRun(runDir);
    return told;
  });
}

/** The directory of a run that had a record, and so a lock, and has it no more. */
function removeRun(runDir: string): void {
  try {
    Deno.removeSync(runDir, { recursive: true });
  } catch {
    removeRecord(runDir);
  }
}

function setRight(record: SealRecord, living: readonly SealRecord[]): string[] {
  const { workspace } = record;
  const told: string[] = [];
  const attempt = (what: string, act: () => void) => {
    try {
      act();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      told.push(`Cannot set right "${what}" after the run: ${reason}`);
    }
  };
  for (const file of record.guarded) {
    attempt(file.path, () => {
      const undone = undoChanges(file);
      if (undone) told.push(`the run changed "${file.path}": ${undone}`);
    });
  }
  const known = new Set(record.repositories);
  for (const repository of findRepositories(workspace)) {
    const { gitDir } = repository;
    if (known.has(gitDir)) continue;
    attempt(gitDir, () => told.push(...disarmRepository(repository, workspace, known)));
  }
  const shared = new Set(
    living.flatMap(({ placeholders }) => placeholders.map(({ path }) => path)),
  );
  for (const placeholder of [...record.placeholders].reverse()) {
    if (!shared.has(placeholder.path)) {
      attempt(placeholder.path, () => removePlaceholder(placeholder));
    }
  }
  return told;
}
