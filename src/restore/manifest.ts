import { err, ok, type Result } from "../core/result.ts";
import type { Moment } from "./file_state.ts";

/** A directory as it was, below the workspace. */
export interface DirectoryEntry {
  readonly kind: "directory";
  /** Relative to the workspace, as `names.ts` writes names. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Moment;
}

/** A symbolic link as it was. */
export interface LinkEntry {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Moment;
}

/** A file as it was, and where its content is kept. */
export interface FileEntry {
  readonly kind: "file";
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly modified: Moment;
  readonly changed: Moment;
  readonly device: number;
  readonly inode: number;
  /** Index into the sources of the manifest. */
  readonly source: number;
  /** Where in that file the content begins, in bytes. */
  readonly offset: number;
}

/** What a snapshot holds of one path. */
export type SnapshotEntry = DirectoryEntry | LinkEntry | FileEntry;

/** What a snapshot does not hold, and why not. */
export interface Unprotected {
  readonly path: string;
  readonly reason: "excluded" | "too large" | "special file" | "unreadable" | "too deep";
}

/** What there is to say of a snapshot without reading all of it. */
export interface SnapshotHeader {
  readonly version: 1;
  /** `sbx_…`: the run that it was taken for. */
  readonly id: string;
  readonly workspace: string;
  /** Milliseconds since the epoch. */
  readonly takenMs: number;
  readonly tookMs: number;
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  /** Of all files, and of those that no earlier snapshot had. */
  readonly bytes: number;
  readonly copiedBytes: number;
  /** The first of them, and how many there are. */
  readonly unprotected: readonly Unprotected[];
  readonly unprotectedCount: number;
  /** Files below the store that hold contents: `<id>/<name>`. */
  readonly sources: readonly string[];
}

/** A whole snapshot; a directory comes before what is in it. */
export interface Manifest {
  readonly header: SnapshotHeader;
  readonly entries: readonly SnapshotEntry[];
}

/** The manifest as it lies in the file: a header, then a line for each entry. */
export function* manifestLines({ header, entries }: Manifest): Generator<string> {
  yield `${JSON.stringify(header)}\n`;
  for (const entry of entries) yield `${JSON.stringify(toLine(entry))}\n`;
}

function toLine(entry: SnapshotEntry): readonly (string | number)[] {
  const { path, uid, gid, modified } = entry;
  switch (entry.kind) {
    case "directory":
      return ["d", path, uid, gid, ...modified, entry.mode];
    case "link":
      return ["l", path, uid, gid, ...modified, entry.target];
    case "file": {
      const { mode, size, changed, device, inode, source, offset } = entry;
      return [
        "f",
        path,
        uid,
        gid,
        ...modified,
        mode,
        size,
        ...changed,
        device,
        inode,
        source,
        offset,
      ];
    }
  }
}

/** Reads the first line of a manifest. */
export function parseHeader(line: string): Result<SnapshotHeader> {
  try {
    const header = JSON.parse(line);
    if (header.version === 1) return ok(header);
  } catch {
    // Told below.
  }
  return err({
    code: "SNAPSHOT_DAMAGED",
    message: "Cannot read the snapshot: its first line is none of this version of firma",
  });
}

/** Reads a whole manifest, which only firma has written: nothing of an agent's reaches it. */
export function parseManifest(text: string): Result<Manifest> {
  const lines = text.split("\n");
  const header = parseHeader(lines[0]!);
  if (!header.ok) return header;
  const { files, directories, links } = header.value;
  try {
    const entries = lines.slice(1).filter((line) => line !== "").map(toEntry);
    if (entries.length === files + directories + links) {
      return ok({ header: header.value, entries });
    }
  } catch {
    // Told below.
  }
  return err({ code: "SNAPSHOT_DAMAGED", message: "Cannot read the snapshot: its list is torn" });
}

function toEntry(line: string): SnapshotEntry {
  const [kind, path, uid, gid, seconds, nanoseconds, ...rest] = JSON.parse(line);
  const base = { path, uid, gid, modified: [seconds, nanoseconds] as const };
  if (kind === "d") return { kind: "directory", ...base, mode: rest[0] };
  if (kind === "l") return { kind: "link", ...base, target: rest[0] };
  const [mode, size, changedSeconds, changedNanoseconds, device, inode, source, offset] = rest;
  const changed = [changedSeconds, changedNanoseconds] as const;
  return { kind: "file", ...base, mode, size, changed, device, inode, source, offset };
}
