import type { SigningKey } from "../pki/signing_key.ts";
import { writeAll } from "./write_all.ts";
import {
  type Checkpoint,
  checkpointPath,
  formatCheckpoint,
  parseCheckpoint,
  type TreeHead,
} from "./checkpoint.ts";

/** The note beside a log, whoever signed it; `undefined` without one. */
export function readCheckpointNote(logPath: string): string | undefined {
  try {
    return Deno.readTextFileSync(checkpointPath(logPath));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

/** The checkpoint beside a log; `undefined` without one that the key signed. */
export function readCheckpointFile(
  logPath: string,
  publicKey: Uint8Array,
): Checkpoint | undefined {
  const note = readCheckpointNote(logPath);
  if (note === undefined) return undefined;
  const checkpoint = parseCheckpoint(note, [publicKey]);
  return checkpoint.ok ? checkpoint.value : undefined;
}

/**
 * Writes the checkpoint beside a log, whole or not at all. Call with the log
 * locked, so that no process replaces a later checkpoint by an earlier one.
 */
export function writeCheckpointFile(logPath: string, head: TreeHead, key: SigningKey): void {
  const target = checkpointPath(logPath);
  const draft = `${target}.new`;
  {
    using file = Deno.openSync(draft, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    writeAll(file, new TextEncoder().encode(formatCheckpoint(head, key)));
    file.syncSync();
  }
  Deno.renameSync(draft, target);
}
