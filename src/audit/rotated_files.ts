import { basename, dirname, join } from "../core/path.ts";

/** A file that a log was moved away to. */
export interface RotatedFile {
  readonly path: string;
  /** Names the file however often it is renamed. */
  readonly identity: string;
  /** Milliseconds since the epoch. */
  readonly bornMs: number;
}

/** What a rotation appends to a name: `.1`, `.2025-01-31`, `.20250131T120000Z`. */
const SUFFIX = /^\.\d[\dA-Za-z:.-]*$/;
/** These hold no lines. The originals of compressed copies went through our hands before. */
const NO_LINES = /\.(gz|bz2|xz|zst|lz4|checkpoint)$/;

/** Tells files apart: a number of an inode alone is soon another file's. */
export function fileIdentity(found: Deno.FileInfo): string {
  return `${found.dev}:${found.ino}:${found.birthtime?.getTime() ?? 0}`;
}

/** What `path` was rotated to and is still there, oldest first. Empty when nothing can be listed. */
export function rotatedFiles(path: string): RotatedFile[] {
  const directory = dirname(path);
  const name = basename(path);
  const found: (RotatedFile & { writtenMs: number })[] = [];
  try {
    for (const entry of Deno.readDirSync(directory)) {
      const isRotated = entry.isFile && entry.name.startsWith(name) &&
        SUFFIX.test(entry.name.slice(name.length)) && !NO_LINES.test(entry.name);
      if (!isRotated) continue;
      const file = join(directory, entry.name);
      const stat = Deno.statSync(file);
      found.push({
        path: file,
        identity: fileIdentity(stat),
        bornMs: stat.birthtime?.getTime() ?? 0,
        writtenMs: stat.mtime?.getTime() ?? 0,
      });
    }
  } catch {
    return []; // somebody is rotating right now, or there is no such directory: look again later
  }
  return found.sort((a, b) => a.bornMs - b.bornMs || a.writtenMs - b.writtenMs);
}
