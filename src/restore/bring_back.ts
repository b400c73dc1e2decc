import { basename } from "../core/path.ts";
import { openDirectory } from "./directory.ts";
import { type Moment, stateAt } from "./file_state.ts";
import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  checked,
  cString,
  libc,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  ownCString,
  reasonOf,
  SystemCallError,
  withDescriptor,
} from "./libc.ts";
import { Losses, parentOf } from "./losses.ts";
import type { FileEntry, LinkEntry, Manifest, SnapshotEntry } from "./manifest.ts";
import { openBelow } from "./open_path.ts";
import type { StoredContent } from "./stored_content.ts";

/** What is to come back. */
export interface BringBackOptions {
  readonly manifest: Manifest;
  readonly content: StoredContent;
  /** The workspace, open. */
  readonly root: number;
  /** Paths of the snapshot; what is below them counts. Absent: everything. */
  readonly only?: readonly string[] | undefined;
  /** Whether what is not what it was is replaced. */
  readonly force: boolean;
  /** Whether nothing is done, and only told. */
  readonly dryRun: boolean;
  /** Hears how many are done, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What came back, by path. Files, links and directories. */
export interface BroughtBack {
  /** What was gone. */
  readonly restored: readonly string[];
  /** What was not what it was, and is again. */
  readonly replaced: readonly string[];
  /** What is not what it was, and was left so. */
  readonly changed: readonly string[];
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
}

const RENAME_NOREPLACE = 1;
const isRoot = Deno.uid() === 0;

/**
 * Brings back what a workspace has lost since a snapshot. Whatever an agent has put there meanwhile,
 * nothing is written through a link: each directory is opened below the one before.
 */
export function bringBack(options: BringBackOptions): BroughtBack {
  return new Bringer(options).run();
}

class Bringer {
  readonly #options: BringBackOptions;
  readonly #restored: string[] = [];
  readonly #replaced: string[] = [];
  readonly #changed: string[] = [];
  readonly #failed: { path: string; reason: string }[] = [];
  /** Directories whose contents come back, to be given their modes and times at the end. */
  readonly #touched = new Set<string>();
  #open: { readonly path: string; readonly descriptor: number } | undefined;

  constructor(options: BringBackOptions) {
    this.#options = options;
  }

  run(): BroughtBack {
    const { manifest, content, root, dryRun, onProgress } = this.#options;
    const losses = new Losses(manifest, content);
    losses.lookAtAll(root);
    const lost = manifest.entries.filter(({ path }, index) =>
      losses.fateOf(index) !== "same" && this.#isWanted(path)
    );
    const fates = new Map(manifest.entries.map(({ path }, index) => [path, losses.fateOf(index)]));
    const missing = this.#withParents(lost, fates);
    missing.forEach((entry, index) => {
      const isThere = fates.get(entry.path) === "changed";
      this.#one(entry, isThere);
      onProgress?.(index + 1, missing.length);
    });
    this.#letGo();
    if (!dryRun) this.#finishDirectories();
    return {
      restored: this.#restored,
      replaced: this.#replaced,
      changed: this.#changed,
      failed: this.#failed,
    };
  }

  #isWanted(path: string): boolean {
    const { only } = this.#options;
    return only === undefined ||
      only.some((wanted) => wanted === "" || path === wanted || path.startsWith(`${wanted}/`));
  }

  /** Directories that what is wanted lies in have to be there first. */
  #withParents(
    lost: readonly SnapshotEntry[],
    fates: ReadonlyMap<string, string>,
  ): readonly SnapshotEntry[] {
    const needed = new Set(lost.map(({ path }) => path));
    for (const { path } of lost) {
      for (let at = parentOf(path); at !== "" && !needed.has(at); at = parentOf(at)) {
        if (fates.get(at) !== "same") needed.add(at);
      }
    }
    return this.#options.manifest.entries.filter(({ path }) => needed.has(path));
  }

  #one(entry: SnapshotEntry, isThere: boolean): void {
    const { force, dryRun } = this.#options;
    if (isThere && !force) return void this.#changed.push(entry.path);
    try {
      if (!dryRun) this.#put(entry, isThere);
      (isThere ? this.#replaced : this.#restored).push(entry.path);
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      this.#failed.push({ path: entry.path, reason: reasonOf(cause) });
    }
  }

  #put(entry: SnapshotEntry, isThere: boolean): void {
    const parent = parentOf(entry.path);
    const directory = this.#directory(parent);
    const name = basename(entry.path);
    this.#touched.add(parent);
    switch (entry.kind) {
      case "directory":
        if (isThere) removeAt(directory, name);
        makeDirectory(directory, name);
        return void this.#touched.add(entry.path);
      case "link":
        return putLink(directory, name, entry, isThere);
      case "file":
        return this.#putFile(directory, name, entry, isThere);
    }
  }

  #putFile(directory: number, name: string, entry: FileEntry, isThere: boolean): void {
    const draft = draftName();
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    withDescriptor(checked(libc().openat(directory, cString(draft), flags, 0o600)), (file) => {
      try {
        for (const piece of this.#options.content.pieces(entry)) writeAll(file, piece);
        if (isRoot) checked(libc().fchown(file, entry.uid, entry.gid));
        checked(libc().fchmod(file, entry.mode));
        moveTo(directory, draft, name, isThere);
      } catch (cause) {
        libc().unlinkat(directory, cString(draft), 0);
        throw cause;
      }
    });
    setTimes(directory, name, entry.modified);
  }

  /** An open directory of the workspace; the last one stays open for what comes next. */
  #directory(path: string): number {
    if (this.#open?.path === path) return this.#open.descriptor;
    this.#letGo();
    this.#open = { path, descriptor: openBelow(this.#options.root, path) };
    return this.#open.descriptor;
  }

  #letGo(): void {
    if (this.#open !== undefined) libc().close(this.#open.descriptor);
    this.#open = undefined;
  }

  /** Modes and times of directories, the innermost first: each change inside would undo them. */
  #finishDirectories(): void {
    const { manifest, root } = this.#options;
    for (const entry of manifest.entries.toReversed()) {
      if (entry.kind !== "directory" || !this.#touched.has(entry.path)) continue;
      try {
        withDescriptor(openBelow(root, parentOf(entry.path)), (parent) => {
          withDescriptor(openDirectory(parent, basename(entry.path)), (directory) => {
            if (isRoot) checked(libc().fchown(directory, entry.uid, entry.gid));
            checked(libc().fchmod(directory, entry.mode));
          });
          setTimes(parent, basename(entry.path), entry.modified);
        });
      } catch (cause) {
        if (!(cause instanceof SystemCallError)) throw cause;
        this.#failed.push({ path: entry.path, reason: reasonOf(cause) });
      }
    }
  }
}

function makeDirectory(parent: number, name: string): void {
  if (libc().mkdirat(parent, cString(name), 0o700) === 0) return;
  // Made in between: what it is, is seen when it is opened.
  if (stateAt(parent, name)?.kind !== "directory") checked(-1);
}

function putLink(directory: number, name: string, entry: LinkEntry, isThere: boolean): void {
  const draft = draftName();
  checked(libc().symlinkat(ownCString(entry.target), directory, cString(draft)));
  try {
    if (isRoot) {
      const { uid, gid } = entry;
      checked(libc().fchownat(directory, cString(draft), uid, gid, AT_SYMLINK_NOFOLLOW));
    }
    moveTo(directory, draft, name, isThere);
  } catch (cause) {
    libc().unlinkat(directory, cString(draft), 0);
    throw cause;
  }
  setTimes(directory, name, entry.modified);
}

/** Puts something whole in its place: over what is there only where that was asked for. */
function moveTo(directory: number, draft: string, name: string, isThere: boolean): void {
  const flags = isThere ? 0 : RENAME_NOREPLACE;
  checked(libc().renameat2(directory, ownCString(draft), directory, cString(name), flags));
}

/** Removes a file or link, or a directory that is empty. */
function removeAt(directory: number, name: string): void {
  const isDirectory = stateAt(directory, name)?.kind === "directory";
  checked(libc().unlinkat(directory, cString(name), isDirectory ? AT_REMOVEDIR : 0));
}

function setTimes(directory: number, name: string, [seconds, nanoseconds]: Moment): void {
  const times = new BigInt64Array(4).fill(BigInt(seconds));
  times[1] = times[3] = BigInt(nanoseconds);
  checked(
    libc().utimensat(
      directory,
      cString(name),
      new Uint8Array(times.buffer),
      AT_SYMLINK_NOFOLLOW,
    ),
  );
}

function writeAll(descriptor: number, bytes: Uint8Array<ArrayBuffer>): void {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    at += checked(libc().write(descriptor, rest, BigInt(rest.length)));
  }
}

/** A name that nobody can foresee. */
function draftName(): string {
  return `.firma-${crypto.randomUUID()}`;
}
