import { join } from "../core/path.ts";
import { Cancelled, ContentWriter } from "./contents.ts";
import { entriesOf, type Entry, openDirectory, openFile, openRoot, readLink } from "./directory.ts";
import { type FileState, sameMoment, stateAt, stateOf } from "./file_state.ts";
import { SystemCallError, withDescriptor } from "./libc.ts";
import type { FileEntry, Manifest, SnapshotEntry, Unprotected } from "./manifest.ts";

/** What a snapshot is taken of, and where to. */
export interface TakeOptions {
  /** Real path. */
  readonly workspace: string;
  /** `sbx_…` */
  readonly id: string;
  /** The directory of this snapshot, which is there and empty. */
  readonly directory: string;
  /** Names of directories that are left out, at any depth. */
  readonly exclude: readonly string[];
  /** Paths that no agent can reach, and that are no part of the workspace therefore. */
  readonly hidden: readonly string[];
  /**
   * Where runs put something empty for as long as they last, as paths end there: what is empty there
   * is left out. This run's own seals come while the snapshot is taken, and another run's at any time.
   */
  readonly placeholders: readonly string[];
  /** Larger files are left out, in bytes. */
  readonly maxFileSize: number;
  /** How much may be copied in all, in bytes; what an earlier snapshot holds does not count. */
  readonly maxTotalSize: number;
  /** An earlier snapshot, whose contents serve for files that have not changed since. */
  readonly previous?: Manifest | undefined;
  readonly isCancelled?: () => boolean;
  /** Hears how many files there are so far, every now and then. */
  readonly onProgress?: (files: number) => void;
}

/** Directories further down are left out: each on the way has to be held open. */
const DEEPEST = 200;
/** Entries beyond these are left out. */
const MOST_ENTRIES = 1_000_000;
/** How many unprotected paths are kept by name. */
const MOST_NAMED = 1000;
const PROGRESS_EVERY = 500;

/**
 * How old a change must be before the moment of it tells the next one apart, in seconds: clocks of
 * file systems are coarse.
 */
const SETTLED_S = 2;

/** Makes a snapshot of a workspace; the manifest is for the caller to write. */
export function takeSnapshot(options: TakeOptions): Manifest {
  return new Taker(options).take();
}

class Taker {
  readonly #options: TakeOptions;
  readonly #contents: ContentWriter;
  readonly #exclude: ReadonlySet<string>;
  readonly #hidden: ReadonlySet<string>;
  readonly #placeholders: ReadonlySet<string>;
  readonly #before = new Map<string, FileEntry>();
  readonly #sources: string[] = [];
  readonly #sourceIndex = new Map<string, number>();
  readonly #entries: SnapshotEntry[] = [];
  readonly #unprotected: Unprotected[] = [];
  readonly #startedMs = Date.now();
  #unprotectedCount = 0;
  #copiedBytes = 0;
  #bytes = 0;
  #files = 0;

  constructor(options: TakeOptions) {
    this.#options = options;
    const { directory, exclude, hidden, placeholders, previous } = options;
    const { isCancelled = () => false } = options;
    this.#contents = new ContentWriter(directory, isCancelled);
    this.#exclude = new Set(exclude);
    this.#hidden = new Set(hidden);
    this.#placeholders = new Set(placeholders.flatMap(withParents));
    for (const entry of previous?.entries ?? []) {
      if (entry.kind === "file") this.#before.set(entry.path, entry);
    }
  }

  take(): Manifest {
    const { workspace, id } = this.#options;
    const started = performance.now();
    try {
      withDescriptor(openRoot(workspace), (root) => this.#walk(root, "", 0));
    } finally {
      this.#contents.close();
    }
    const count = (kind: SnapshotEntry["kind"]) =>
      this.#entries.reduce((sum, entry) => entry.kind === kind ? sum + 1 : sum, 0);
    return {
      header: {
        version: 1,
        id,
        workspace,
        takenMs: this.#startedMs,
        tookMs: Math.round(performance.now() - started),
        files: this.#files,
        directories: count("directory"),
        links: count("link"),
        bytes: this.#bytes,
        copiedBytes: this.#copiedBytes,
        unprotected: this.#unprotected,
        unprotectedCount: this.#unprotectedCount,
        sources: this.#sources,
      },
      entries: this.#entries,
    };
  }

  #walk(directory: number, prefix: string, depth: number): void {
    for (const entry of entriesOf(directory)) {
      if (this.#options.isCancelled?.()) throw new Cancelled();
      const path = prefix + entry.name;
      try {
        this.#visit(directory, entry, path, depth);
      } catch (cause) {
        if (!(cause instanceof SystemCallError)) throw cause;
        // It may have gone in between, and then there is nothing to protect.
        if (stateAt(directory, entry.name) !== undefined) this.#leaveOut(path, "unreadable");
      }
    }
  }

  #visit(directory: number, { name, kind }: Entry, path: string, depth: number): void {
    const actual = kind ?? stateAt(directory, name)?.kind;
    if (this.#entries.length >= MOST_ENTRIES) return this.#leaveOut(path, "too large");
    switch (actual) {
      case "directory":
        return this.#addDirectory(directory, name, path, depth);
      case "file":
        return this.#addFile(directory, name, path);
      case "link":
        return this.#addLink(directory, name, path);
      case "special":
        return this.#leaveOut(path, "special file");
    }
  }

  #addDirectory(parent: number, name: string, path: string, depth: number): void {
    if (this.#hidden.has(join(this.#options.workspace, path))) return;
    if (this.#exclude.has(name)) return this.#leaveOut(path, "excluded");
    if (depth >= DEEPEST) return this.#leaveOut(path, "too deep");
    withDescriptor(openDirectory(parent, name), (directory) => {
      const { mode, uid, gid, modified } = stateOf(directory);
      this.#entries.push({ kind: "directory", path, mode, uid, gid, modified });
      const before = this.#entries.length;
      this.#walk(directory, `${path}/`, depth + 1);
      if (this.#entries.length === before && this.#isPlaceholder(path)) this.#entries.pop();
    });
  }

  #isPlaceholder(path: string): boolean {
    const names = path.split("/");
    return names.some((_, index) => this.#placeholders.has(names.slice(index).join("/")));
  }

  #addLink(directory: number, name: string, path: string): void {
    const state = stateAt(directory, name);
    if (state === undefined) return;
    const { uid, gid, modified } = state;
    this.#entries.push({
      kind: "link",
      path,
      target: readLink(directory, name),
      uid,
      gid,
      modified,
    });
  }

  #addFile(directory: number, name: string, path: string): void {
    const { maxFileSize, maxTotalSize, previous, id } = this.#options;
    const before = this.#before.get(path);
    if (before !== undefined && before.size > 0) {
      const state = stateAt(directory, name);
      if (state?.kind === "file" && isUnchanged(before, state, previous!.header.takenMs)) {
        return this.#push(path, state, previous!.header.sources[before.source]!, before.offset);
      }
    }
    withDescriptor(openFile(directory, name), (descriptor) => {
      const state = stateOf(descriptor);
      if (state.kind !== "file") return this.#leaveOut(path, "special file");
      if (state.size === 0 && this.#isPlaceholder(path)) return;
      if (state.size > maxFileSize || this.#copiedBytes + state.size > maxTotalSize) {
        return this.#leaveOut(path, "too large");
      }
      const { file, offset, size } = this.#contents.add(descriptor, state.size);
      this.#copiedBytes += size;
      this.#push(path, { ...state, size }, `${id}/${file}`, offset);
    });
  }

  #push(path: string, state: FileState, source: string, offset: number): void {
    const { mode, uid, gid, size, modified, changed, device, inode } = state;
    let index = this.#sourceIndex.get(source);
    if (index === undefined) {
      index = this.#sources.push(source) - 1;
      this.#sourceIndex.set(source, index);
    }
    const held = { size, modified, changed, device, inode, source: index, offset };
    this.#entries.push({ kind: "file", path, mode, uid, gid, ...held });
    this.#bytes += size;
    if (++this.#files % PROGRESS_EVERY === 0) this.#options.onProgress?.(this.#files);
  }

  #leaveOut(path: string, reason: Unprotected["reason"]): void {
    this.#unprotectedCount++;
    if (this.#unprotected.length < MOST_NAMED) this.#unprotected.push({ path, reason });
  }
}

/** A path and those of the directories above it. */
function withParents(path: string): string[] {
  const names = path.split("/");
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** Whether a file is what it was, by what nobody can set: no change leaves the time of change alone. */
function isUnchanged(before: FileEntry, now: FileState, takenMs: number): boolean {
  return before.inode === now.inode && before.device === now.device && before.size === now.size &&
    sameMoment(before.modified, now.modified) && sameMoment(before.changed, now.changed) &&
    before.changed[0] < Math.floor(takenMs / 1000) - SETTLED_S;
}
