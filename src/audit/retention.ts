import { checkpointPath } from "./checkpoint.ts";
import { type ClosedFile, closedFiles } from "./closed_file.ts";

/** How much of a log is kept; what is absent has no bound. The file that takes lines stays. */
export interface RetentionLimits {
  /** How many closed files. */
  readonly maxFiles?: number;
  /** Milliseconds since the last line of a closed file. */
  readonly maxAgeMs?: number;
  /** Bytes of all closed files, as they lie on the disk. */
  readonly maxTotalBytes?: number;
}

/** Closed files that are to go, all of them older than any that stays, and why. */
export interface Surplus {
  readonly files: readonly ClosedFile[];
  readonly reason: string;
}

interface Weighed {
  readonly file: ClosedFile;
  readonly bytes: number;
  readonly closedMs: number;
}

/**
 * What `limits` do not cover. `oldestNeeded` is the `seq` of the oldest line that somebody has yet
 * to read: its file stays, and all after it.
 */
export function surplusFiles(
  log: string,
  limits: RetentionLimits,
  oldestNeeded: number,
  nowMs = Date.now(),
): Surplus | undefined {
  const { maxFiles = Infinity, maxAgeMs = Infinity, maxTotalBytes = Infinity } = limits;
  if (maxFiles === Infinity && maxAgeMs === Infinity && maxTotalBytes === Infinity) return;
  const weighed = closedFiles(log).map(weigh).filter((file) => file !== undefined);
  let count = weighed.length;
  let total = weighed.reduce((sum, { bytes }) => sum + bytes, 0);
  const files: ClosedFile[] = [];
  const reasons = new Set<string>();
  for (const { file, bytes, closedMs } of weighed) {
    const reason = count > maxFiles
      ? `more than ${maxFiles} closed files`
      : total > maxTotalBytes
      ? `more than ${maxTotalBytes} bytes in closed files`
      : nowMs - closedMs > maxAgeMs
      ? `older than ${maxAgeMs / 1000} s`
      : undefined;
    if (reason === undefined || file.last >= oldestNeeded) break;
    files.push(file);
    reasons.add(reason);
    count--;
    total -= bytes;
  }
  return files.length === 0 ? undefined : { files, reason: [...reasons].join(", ") };
}

/** Removes a closed file and its checkpoint. */
export function removeClosed({ path }: ClosedFile): void {
  for (const name of [path, checkpointPath(path.replace(/\.(gz|zst)$/, ""))]) {
    try {
      Deno.removeSync(name);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    }
  }
}

function weigh(file: ClosedFile): Weighed | undefined {
  try {
    const { size, mtime } = Deno.statSync(file.path);
    return { file, bytes: size, closedMs: mtime?.getTime() ?? Date.now() };
  } catch {
    return undefined; // another process took it away meanwhile
  }
}
