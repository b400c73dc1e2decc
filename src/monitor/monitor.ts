import { followEntries } from "./follow.ts";
import { lineOf, type LineOptions } from "./lines/line.ts";
import type { Entry } from "./source/entry.ts";
import { matchesEntry } from "./source/entry_filter.ts";
import type { EventFilter } from "./source/event_filter.ts";
import type { FeedOptions } from "./source/feed.ts";

/** What to show of the logs, and how. */
export interface MonitorOptions extends FeedOptions, LineOptions {
  readonly filter: EventFilter;
  /** Begin with so many of the last entries; absent: with the first one. */
  readonly tail?: number;
  readonly follow: boolean;
}

/**
 * Prints what is in the logs, and goes on with what is new until `signal`
 * aborts when asked to follow. `print` takes a line without its newline.
 */
export async function monitorLogs(
  options: MonitorOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const line = (entry: Entry) =>
    matchesEntry(options.filter, entry) ? lineOf(entry, options) : undefined;
  // Several logs give as many lines each; what is shown of them are the last of all.
  let held: string[] | undefined = options.tail === undefined ? undefined : [];
  const isShown = (entry: Entry) => line(entry) !== undefined;
  await followEntries(
    { ...options, sinceMs: options.filter.sinceMs, isShown },
    (entry) => {
      const text = line(entry);
      if (text === undefined) return;
      if (held === undefined) return print(text);
      held.push(text);
      if (held.length > 2 * options.tail! + 64) held = lastOf(held, options.tail!);
    },
    signal,
    () => {
      if (held !== undefined) lastOf(held, options.tail!).forEach(print);
      held = undefined;
    },
  );
}

function lastOf(lines: string[], count: number): string[] {
  return count === 0 ? [] : lines.slice(-count);
}
