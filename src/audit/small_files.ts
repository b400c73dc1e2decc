/** Reading and replacing the small files beside a log. All throw what the file system throws. */
import { writeAll } from "./write_all.ts";

/** The text at `path`; `undefined` without a file. */
export function readIfThere(path: string): string | undefined {
  return unlessMissing(() => Deno.readTextFileSync(path));
}

/** The file at `path`, opened for reading; `undefined` without one. */
export function openIfThere(path: string): Deno.FsFile | undefined {
  return unlessMissing(() => Deno.openSync(path, { read: true }));
}

/**
 * Replaces the text at `path`, for its owner alone: whole, on the disk, or not at all. Nobody else
 * may write it meanwhile.
 */
export function replaceFile(path: string, text: string): void {
  const draft = `${path}.new`;
  {
    const options = { write: true, create: true, truncate: true, mode: 0o600 };
    using file = Deno.openSync(draft, options);
    writeAll(file, new TextEncoder().encode(text));
    file.syncSync();
  }
  Deno.renameSync(draft, path);
}

function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
