import { join } from "../core/path.ts";
import type { Entry } from "./source/entry.ts";
import { Feed, type FeedOptions } from "./source/feed.ts";
import { FileChanges } from "./source/file_changes.ts";

/** Entries between two turns of the event loop. */
const TURN = 1_024;
/** Entries between two collections of what reading them left behind. */
const COLLECT = 10_240;

/** Present when the program runs with `--expose-gc`, as firma does. */
type Collector = typeof globalThis & { gc?: () => void };

/** The engine itself would let it pile up to twice what is in use. */
function collect(): void {
  (globalThis as Collector).gc?.();
}

/** Which logs to read, from where, and for how long. */
export interface FollowOptions extends FeedOptions {
  /** Begin with so many of the last entries of each log; absent: with the first one. */
  readonly tail?: number;
  /** Whether an entry counts for `tail`. */
  readonly isShown: (entry: Entry) => boolean;
  /** Go on with new entries until the signal aborts. */
  readonly follow: boolean;
}

/**
 * Hands over what is in the logs, and goes on with what is new when asked to.
 * `looked` is called after each time that all of them were read to their ends.
 * Throws what the file system throws, but for missing files.
 */
export async function followEntries(
  options: FollowOptions,
  take: (entry: Entry) => void,
  signal: AbortSignal,
  looked: () => void = () => {},
): Promise<void> {
  const feed = new Feed(options);
  const changes = new FileChanges(
    options.auditFile ?? join(options.stateDir, "daemon/sidecar.log"),
  );
  try {
    if (options.tail !== undefined) {
      feed.seekBack(options.tail, options.isShown);
      collect();
    }
    let entries = 0;
    for (;;) {
      for (const entry of feed.read()) {
        // Lets a signal and a key through while a long log is read.
        if (++entries % TURN === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        if (entries % COLLECT === 0) collect();
        if (signal.aborted) return;
        take(entry);
      }
      looked();
      if (!options.follow || signal.aborted) return;
      await changes.next(signal);
    }
  } finally {
    changes.close();
    feed.close();
  }
}
