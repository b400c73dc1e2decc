import { basename } from "../core/path.ts";
import { openDirectory, openFile, readLink } from "./directory.ts";
import { type FileState, sameMoment, stateAt } from "./file_state.ts";
import { SystemCallError, withDescriptor } from "./libc.ts";
import type { FileEntry, Manifest, SnapshotEntry } from "./manifest.ts";
import { openBelow } from "./open_path.ts";
import type { StoredContent } from "./stored_content.ts";

/** What became of something that a snapshot holds. */
export type Fate = "same" | "deleted" | "changed";

const FATES: readonly Fate[] = ["same", "deleted", "changed"];
const [SAME, DELETED, CHANGED] = [0, 1, 2];

/**
 * What a workspace has lost since a snapshot: nothing that is believed, but looked at, directory by
 * directory. Files whose inode, size and times are the same count as unchanged, and all others are
 * compared byte by byte.
 */
export class Losses {
  readonly #entries: readonly SnapshotEntry[];
  readonly #content: StoredContent;
  readonly #fates: Uint8Array;
  /** Indexes of what is in each directory. */
  readonly #children = new Map<string, number[]>([["", []]]);
  /** Behind the last entry below each directory. */
  readonly #ends: Int32Array;
  readonly #ignored: ReadonlySet<string>;
  /** When a file was changed whose content was looked at, so that it is not looked at again. */
  readonly #looked = new Map<number, string>();
  readonly #counts = [0, 0, 0];

  /** `ignored` are paths that are nobody's loss. */
  constructor({ entries }: Manifest, content: StoredContent, ignored: readonly string[] = []) {
    this.#entries = entries;
    this.#content = content;
    this.#ignored = new Set(ignored);
    this.#fates = new Uint8Array(entries.length);
    this.#ends = new Int32Array(entries.length);
    const open: number[] = [];
    entries.forEach(({ path, kind }, index) => {
      const parent = parentOf(path);
      while (open.length > 0 && entries[open.at(-1)!]!.path !== parent) {
        this.#ends[open.pop()!] = index;
      }
      this.#children.get(parent)!.push(index);
      if (kind === "directory") {
        this.#children.set(path, []);
        open.push(index);
      }
    });
    for (const index of open) this.#ends[index] = entries.length;
  }

  /** How many files and links are gone, or are not what they were. */
  get deleted(): number {
    return this.#counts[DELETED]!;
  }

  get changed(): number {
    return this.#counts[CHANGED]!;
  }

  /** The directories of the snapshot; the workspace itself is `""`. */
  directories(): IterableIterator<string> {
    return this.#children.keys();
  }

  /** What became of each entry, in the order of the snapshot. */
  fateOf(index: number): Fate {
    return FATES[this.#fates[index]!]!;
  }

  /** The paths of files and links of one fate, the first `most`. */
  paths(fate: Fate, most: number): string[] {
    const wanted = FATES.indexOf(fate);
    const found: string[] = [];
    for (let i = 0; i < this.#entries.length && found.length < most; i++) {
      const { kind, path } = this.#entries[i]!;
      if (this.#fates[i] === wanted && kind !== "directory") found.push(path);
    }
    return found;
  }

  /** Looks at everything. */
  lookAtAll(root: number): void {
    this.lookAt(root, "", true);
  }

  /** Looks at what is in one directory of the snapshot, and below it where that is new or wanted. */
  lookAt(root: number, path: string, isRecursive = false): void {
    let directory: number;
    try {
      directory = openBelow(root, path);
    } catch (cause) {
      if (!(cause instanceof SystemCallError)) throw cause;
      for (const index of this.#children.get(path)!) this.#lose(index);
      return;
    }
    withDescriptor(directory, () => this.#look(directory, path, isRecursive));
  }

  #look(directory: number, path: string, isRecursive: boolean): void {
    for (const index of this.#children.get(path)!) {
      const entry = this.#entries[index]!;
      const state = stateAt(directory, basename(entry.path));
      if (state === undefined) this.#lose(index);
      else if (entry.kind === "directory") this.#lookDown(directory, index, state, isRecursive);
      else this.#set(index, this.#isSame(directory, entry, state, index) ? SAME! : CHANGED!);
    }
  }

  #lookDown(parent: number, index: number, { kind }: FileState, isRecursive: boolean): void {
    const { path } = this.#entries[index]!;
    if (kind !== "directory") {
      this.#lose(index);
      return this.#set(index, CHANGED!);
    }
    const isBack = this.#fates[index] !== SAME;
    this.#set(index, SAME!);
    if (!isRecursive && !isBack) return;
    try {
      withDescriptor(
        openDirectory(parent, basename(path)),
        (directory) => this.#look(directory, path, true),
      );
    } catch (cause) {
      if (!(cause instanceof SystemCallError)) throw cause;
      this.#lose(index); // it went in between, or nobody may look into it
    }
  }

  #lose(index: number): void {
    const end = this.#entries[index]!.kind === "directory" ? this.#ends[index]! : index + 1;
    for (let i = index; i < end; i++) this.#set(i, DELETED!);
  }

  #set(index: number, fate: number): void {
    const before = this.#fates[index]!;
    const { kind, path } = this.#entries[index]!;
    if (before === fate || this.#ignored.has(path)) return;
    this.#fates[index] = fate;
    if (kind === "directory") return;
    this.#counts[before]!--;
    this.#counts[fate]!++;
  }

  #isSame(
    directory: number,
    entry: Exclude<SnapshotEntry, { readonly kind: "directory" }>,
    state: FileState,
    index: number,
  ): boolean {
    if (state.kind !== entry.kind) return false;
    const name = basename(entry.path);
    try {
      if (entry.kind === "link") return readLink(directory, name) === entry.target;
      if (state.size !== entry.size || state.mode !== entry.mode) return false;
      if (isUntouched(entry, state)) return true;
      return this.#hasContent(directory, name, entry, state, index);
    } catch (cause) {
      if (!(cause instanceof SystemCallError)) throw cause;
      return false;
    }
  }

  #hasContent(
    directory: number,
    name: string,
    entry: FileEntry,
    state: FileState,
    index: number,
  ): boolean {
    const seen = `${state.inode} ${state.changed.join(".")}`;
    if (this.#looked.get(index) === seen) return this.#fates[index] === SAME;
    const same = withDescriptor(
      openFile(directory, name),
      (descriptor) => this.#content.isSame(entry, descriptor),
    );
    this.#looked.set(index, seen);
    return same;
  }
}

/** The directory that a path of a snapshot is in. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function isUntouched(before: FileEntry, now: FileState): boolean {
  return before.inode === now.inode && before.device === now.device &&
    sameMoment(before.modified, now.modified) && sameMoment(before.changed, now.changed);
}
