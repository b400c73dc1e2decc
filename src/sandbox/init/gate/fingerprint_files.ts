import type { Execution } from "../../../core/local_exec.ts";
import { sha256 } from "../../../core/sha256.ts";
import type { ContentHashes } from "./content_hashes.ts";
import { identityOf, identityText, openPath, openWithin, readStart } from "./file.ts";
import { libc } from "./libc.ts";
import type { Programs } from "./program.ts";

/** Of arguments. Scripts are smaller; what is larger is known by what the kernel says of it, for time. */
const LARGEST_HASHED = 256 * 1024;
/** What a person approves names fewer. */
const MOST_ARGUMENTS = 256;
/** From `linux/limits.h`. */
const LONGEST_PATH = 4096;

/**
 * The files that decide what an execution does, each with what tells one state of it from another:
 * the program, what runs it where it is a script, and every argument that is the name of a file.
 * The kernel's word (file, size, times of content and of itself) changes with each write, and the
 * SHA-256 says so too of programs and of small files, which may be written through memory.
 * `undefined` where that cannot be told.
 */
export function fingerprintFiles(
  programs: Programs,
  pid: number,
  { file, argv, interpreter }: Execution,
): [path: string, state: string][] | undefined {
  if (argv.length > MOST_ARGUMENTS) return undefined;
  const root = openPath(`/proc/${pid}/root`);
  if (root < 0) return undefined;
  try {
    const programPaths = interpreter === undefined ? [file] : [file, interpreter.file];
    const files: [string, string][] = [];
    for (const name of programPaths) {
      const state = stateOf(programs, pid, root, name, programs.hashes);
      if (state === undefined) return undefined;
      files.push([name, state]);
    }
    for (const name of new Set(argv.slice(1))) {
      const state = stateOf(programs, pid, root, name);
      if (state !== undefined) files.push([name, state]);
    }
    return files;
  } finally {
    libc.close(root);
  }
}

function stateOf(
  programs: Programs,
  pid: number,
  root: number,
  path: string,
  hashes?: ContentHashes,
): string | undefined {
  if (path === "" || path.length > LONGEST_PATH || path.includes("\0")) return undefined;
  const full = programs.absolute(pid, path);
  if (full === undefined) return undefined;
  const descriptor = programs.real(openWithin(root, full));
  if (descriptor < 0) return undefined;
  try {
    const identity = identityOf(descriptor);
    if (identity === undefined || !identity.isRegular) return undefined;
    const key = identityText(identity);
    const file = `/proc/self/fd/${descriptor}`;
    if (hashes !== undefined) return `${key} ${hashes.of(file, identity) ?? ""}`;
    if (identity.size > LARGEST_HASHED) return key;
    const bytes = readStart(file, LARGEST_HASHED);
    return bytes === undefined ? key : `${key} ${sha256(bytes)}`;
  } finally {
    libc.close(descriptor);
  }
}
