import type { ComponentEntry, ComponentSource } from "./entry.ts";
import type { EntrySource } from "./entry_source.ts";
import { LogReader } from "./log_reader.ts";

/** A log that a component writes for people. */
export interface ComponentLog {
  readonly source: ComponentSource;
  readonly file: string;
  /** Of the run that the log belongs to; `""` for a daemon. */
  readonly sandboxId: string;
}

/** What a line with a time begins with: RFC 3339, with or without an offset. */
const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)?\s+/;

/** How far beyond the tail to look for the time of its first line. */
const LOOK_BACK = 256;

const decoder = new TextDecoder();

/** The lines of a component's log as entries. One without a time has that of the line before. */
export class ComponentEntries implements EntrySource {
  readonly #log: ComponentLog;
  readonly #reader: LogReader;
  #isUnread = true;
  #latestMs = 0;

  constructor(log: ComponentLog) {
    this.#log = log;
    this.#reader = new LogReader(log.file);
  }

  *read(): Generator<ComponentEntry> {
    const isFirstLook = this.#isUnread;
    this.#isUnread = false;
    let lookMs: number | undefined;
    for (const line of this.#reader.read()) {
      const raw = decoder.decode(line);
      if (raw.trim() === "") continue;
      // Of a line that says no time: older than the first look, or of just now.
      const times = this.#reader.times();
      lookMs ??= (isFirstLook ? times?.bornMs : times?.writtenMs) ?? 0;
      const inherited = isFirstLook && this.#latestMs > 0 ? this.#latestMs : lookMs;
      const { atMs = inherited, text } = splitTime(raw);
      this.#latestMs = Math.max(this.#latestMs, atMs);
      const { source, sandboxId } = this.#log;
      yield { kind: "component", source, sandboxId, atMs: this.#latestMs, raw, text };
    }
  }

  seekBack(wanted: number, isShown: (entry: ComponentEntry) => boolean): void {
    let shown = 0;
    let looked = 0;
    const { source, sandboxId } = this.#log;
    this.#reader.seekBack((line) => {
      const raw = decoder.decode(line);
      const { atMs = Infinity, text } = splitTime(raw);
      if (shown >= wanted) {
        if (atMs !== Infinity) this.#latestMs = atMs;
        return atMs === Infinity && looked++ < LOOK_BACK ? "look" : "stop";
      }
      const entry = { kind: "component", source, sandboxId, atMs, raw, text } as const;
      if (raw.trim() === "" || !isShown(entry)) return "look";
      shown++;
      return "take";
    });
  }

  close(): void {
    this.#reader.close();
  }
}

function splitTime(raw: string): { readonly atMs?: number; readonly text: string } {
  const [prefix, date, time, offset = ""] = TIME.exec(raw) ?? [];
  const atMs = prefix === undefined ? NaN : Date.parse(`${date}T${time}${offset}`);
  return Number.isNaN(atMs) ? { text: raw } : { atMs, text: raw.slice(prefix!.length) };
}
