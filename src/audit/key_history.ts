import { ok, type Result } from "../core/result.ts";
import { lineMembers, linesWith } from "./line_members.ts";
import { lineBlocks } from "./lines.ts";
import { snapshotLog } from "./log_parts.ts";
import { unreadable } from "./unreadable.ts";

/** What a log says of a key that has signed it. */
export interface KeyPeriod {
  /** Raw Ed25519 public key, standard base64. */
  readonly publicKey: string;
  /** The first line that it signed. */
  readonly from: number;
  /** The last one, if it has handed over to another key. */
  readonly to?: number;
  /** The key that vouches for it, as the log says; `firma audit verify` checks that. */
  readonly certifiedBy?: string;
}

// An agent cannot write this into a line: there its quotes are escaped.
const KEY_EVENTS = ['"kind":"key"'];
const BLOCK_BYTES = 512 * 1024;

/**
 * The keys that the log at `path` names, closed files included, in order of their first lines. Reads
 * what the log says and verifies nothing.
 */
export async function readKeyHistory(path: string): Promise<Result<KeyPeriod[]>> {
  try {
    const log = await snapshotLog(path);
    if (!log.ok) return log;
    const periods = new Map<string, KeyPeriod>();
    for (const part of log.value.parts) {
      for await (const { bytes, terminated } of lineBlocks(part.open(), BLOCK_BYTES)) {
        if (terminated) linesWith(KEY_EVENTS, bytes).forEach(({ line }) => note(periods, line));
      }
    }
    return ok([...periods.values()]);
  } catch (cause) {
    return unreadable(path, cause);
  }
}

function note(periods: Map<string, KeyPeriod>, line: Uint8Array): void {
  const { kind, change, public_key: key, seq, root_public_key: root } = lineMembers(line);
  if (kind !== "key" || typeof key !== "string" || typeof seq !== "number") return;
  periods.set(key, {
    ...periods.get(key) ?? { publicKey: key, from: seq },
    ...change === "handed_over" && { to: seq },
    ...change === "certified" && typeof root === "string" && { certifiedBy: root },
  });
}
