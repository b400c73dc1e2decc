import type { SigningKey } from "../pki/signing_key.ts";
import { readIfThere, replaceFile } from "./small_files.ts";
import {
  checkCheckpoint,
  type Checkpoint,
  checkpointPath,
  formatCheckpoint,
  signCheckpoint,
  type TreeHead,
} from "./checkpoint.ts";

/** The note beside a log, whoever signed it; `undefined` without one. */
export function readCheckpointNote(logPath: string): string | undefined {
  return readIfThere(checkpointPath(logPath));
}

/** The checkpoint beside a log; `undefined` without one that the key signed. */
export async function readCheckpointFile(
  logPath: string,
  publicKey: Uint8Array,
): Promise<Checkpoint | undefined> {
  const note = readCheckpointNote(logPath);
  if (note === undefined) return undefined;
  const checkpoint = await checkCheckpoint(note, publicKey);
  return checkpoint.ok ? checkpoint.value : undefined;
}

/**
 * Writes the checkpoint beside a log, whole or not at all. Call with the log
 * locked, so that no process replaces a later checkpoint by an earlier one.
 */
export function writeCheckpointFile(logPath: string, head: TreeHead, key: SigningKey): void {
  replaceFile(checkpointPath(logPath), formatCheckpoint(head, key));
}

/** The same without loading `node:crypto`. */
export async function putCheckpointFile(
  logPath: string,
  head: TreeHead,
  key: SigningKey,
): Promise<void> {
  replaceFile(checkpointPath(logPath), await signCheckpoint(head, key));
}
