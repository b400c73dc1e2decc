import type { Entry } from "./entry.ts";

/** Where entries come from, in the order of their log. */
export interface EntrySource {
  /** What is there and was not read yet. Throws what the file system throws. */
  read(): Generator<Entry>;
  /** Goes to the last `wanted` entries that are shown; to be called before the first `read`. */
  seekBack(wanted: number, isShown: (entry: Entry) => boolean): void;
  close(): void;
}

/** All that the sources have now, by time; each source's own order stays. */
export function* mergedEntries(sources: readonly EntrySource[]): Generator<Entry> {
  if (sources.length === 1) return yield* sources[0]!.read();
  const heads: { readonly rest: Generator<Entry>; entry: Entry }[] = [];
  try {
    for (const source of sources) {
      const rest = source.read();
      const first = rest.next();
      if (!first.done) heads.push({ rest, entry: first.value });
    }
    while (heads.length > 0) {
      let oldest = heads[0]!;
      for (const head of heads) if (head.entry.atMs < oldest.entry.atMs) oldest = head;
      yield oldest.entry;
      const next = oldest.rest.next();
      if (next.done) heads.splice(heads.indexOf(oldest), 1);
      else oldest.entry = next.value;
    }
  } finally {
    for (const { rest } of heads) rest.return(undefined);
  }
}
