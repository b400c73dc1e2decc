import { basename, dirname, join } from "../core/path.ts";

/** How a closed file is kept: as it was written, or compressed. */
export type Packing = "plain" | "gzip" | "zstd";

const SUFFIXES: Readonly<Record<Packing, string>> = { plain: "", gzip: ".gz", zstd: ".zst" };
/** `<first line>-<last line>`, in so many digits that names sort like numbers. */
const DIGITS = 12;
const SUFFIX = /^\.(\d{12,16})-(\d{12,16})(|\.gz|\.zst)$/;

/** A file that takes no more lines, because the log went on in another. */
export interface ClosedFile {
  readonly path: string;
  /** The log that it belongs to: the file that takes lines. */
  readonly log: string;
  /** `seq` of its first and last line. */
  readonly first: number;
  readonly last: number;
  readonly packing: Packing;
}

/** Where the file of a log goes that holds the lines from `first` to `last`. */
export function closedPath(
  log: string,
  first: number,
  last: number,
  packing: Packing = "plain",
): string {
  const number = (seq: number) => String(seq).padStart(DIGITS, "0");
  return `${log}.${number(first)}-${number(last)}${SUFFIXES[packing]}`;
}

/** Reads the name of a closed file; `undefined` when it is none. */
export function parseClosedPath(path: string): ClosedFile | undefined {
  const name = basename(path);
  const at = name.search(/\.\d+-\d+(?:|\.gz|\.zst)$/);
  const [, first, last, suffix] = (at > 0 && SUFFIX.exec(name.slice(at))) || [];
  if (first === undefined) return undefined;
  const packing = suffix === ".gz" ? "gzip" : suffix === ".zst" ? "zstd" : "plain";
  const log = join(dirname(path), name.slice(0, at));
  return { path, log, first: Number(first), last: Number(last), packing };
}

/**
 * The closed files of a log, oldest first; of one that is there compressed and not, the plain one.
 * Throws what the file system throws, but for a directory that is not there.
 */
export function closedFiles(log: string): ClosedFile[] {
  const found = new Map<string, ClosedFile>();
  const half = new Set(halfClosedFiles(log));
  for (const file of namedClosed(log)) {
    const key = `${file.first}-${file.last}`;
    if (half.has(file.path)) continue;
    if (file.packing === "plain" || !found.has(key)) found.set(key, file);
  }
  return [...found.values()].sort((one, other) => one.first - other.first);
}

/**
 * Names of closed files under which the file lies that still takes lines: a process died while it
 * closed it, and another went on.
 */
export function halfClosedFiles(log: string): string[] {
  try {
    const { ino, dev, nlink } = Deno.statSync(log);
    if ((nlink ?? 1) < 2) return [];
    return namedClosed(log).map(({ path }) => path).filter((path) => {
      const found = Deno.statSync(path);
      return found.ino === ino && found.dev === dev;
    });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
}

function namedClosed(log: string): ClosedFile[] {
  const directory = dirname(log);
  const name = basename(log);
  const found: ClosedFile[] = [];
  try {
    for (const entry of Deno.readDirSync(directory)) {
      if (!entry.isFile || !entry.name.startsWith(name)) continue;
      const file = parseClosedPath(join(directory, entry.name));
      if (file !== undefined && basename(file.log) === name) found.push(file);
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return found;
}
