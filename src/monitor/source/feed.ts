import { AuditEntries } from "./audit_entries.ts";
import { ComponentEntries } from "./component_entries.ts";
import { componentLogs } from "./component_logs.ts";
import type { ComponentSource, Entry } from "./entry.ts";
import { type EntrySource, mergedEntries } from "./entry_source.ts";

/** Which logs to read. */
export interface FeedOptions {
  /** The audit log; absent: it is not read. */
  readonly auditFile?: string;
  /** Milliseconds since the epoch: what is older need not be read. */
  readonly sinceMs?: number | undefined;
  /** Whose logs to read besides. */
  readonly components: ReadonlySet<ComponentSource>;
  readonly stateDir: string;
}

/** Entries of several logs in the order of their time, of logs that come and go. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #audit: AuditEntries | undefined;
  readonly #components = new Map<string, ComponentEntries>();

  constructor(options: FeedOptions) {
    this.#options = options;
    const { auditFile, sinceMs } = options;
    this.#audit = auditFile === undefined ? undefined : new AuditEntries(auditFile, sinceMs);
  }

  /** What is there and was not read yet. Throws what the file system throws. */
  *read(): Generator<Entry> {
    const gone = this.#discover();
    yield* mergedEntries(this.#sources());
    for (const file of gone) {
      this.#components.get(file)?.close();
      this.#components.delete(file);
    }
  }

  /** Goes to the last `wanted` entries that are shown, of each log. */
  seekBack(wanted: number, isShown: (entry: Entry) => boolean): void {
    this.#discover();
    for (const source of this.#sources()) source.seekBack(wanted, isShown);
  }

  close(): void {
    for (const source of this.#sources()) source.close();
  }

  #sources(): EntrySource[] {
    return [...(this.#audit ? [this.#audit] : []), ...this.#components.values()];
  }

  /** Takes up new logs; returns those that are to be read for the last time. */
  #discover(): string[] {
    const { components, stateDir } = this.#options;
    if (components.size === 0) return [];
    const logs = componentLogs(stateDir, components);
    const named = new Set(logs.map(({ file }) => file));
    for (const log of logs) {
      if (!this.#components.has(log.file)) {
        this.#components.set(log.file, new ComponentEntries(log));
      }
    }
    return [...this.#components.keys()].filter((file) => !named.has(file));
  }
}
