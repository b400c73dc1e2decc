import type { SigningKey } from "../pki/signing_key.ts";
import type { ChainHead } from "./chain.ts";
import { writeAll } from "./write_all.ts";
import { checkpointPath, formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";

/** What the checkpoint beside a log vouches for; `undefined` without one that the key signed. */
export function readCheckpointFile(
  logPath: string,
  publicKey: Uint8Array,
): ChainHead | undefined {
  let note: string;
  try {
    note = Deno.readTextFileSync(checkpointPath(logPath));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
  const checkpoint = parseCheckpoint(note, [publicKey]);
  return checkpoint.ok ? checkpoint.value.head : undefined;
}

/**
 * Writes the checkpoint beside a log, whole or not at all. Call with the log
 * locked, so that no process replaces a later checkpoint by an earlier one.
 */
export function writeCheckpointFile(logPath: string, head: ChainHead, key: SigningKey): void {
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
