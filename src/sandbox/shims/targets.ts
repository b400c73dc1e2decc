import { join } from "../../core/path.ts";
import { identityAt, openPath, readLink, readStart } from "../init/gate/file.ts";
import { cString, libc as gate } from "../init/gate/libc.ts";
import { readContent } from "../init/gate/program.ts";
import { libc } from "./libc.ts";

/** What runs every other program: a shim in its place would have to run itself. */
const LOADER = /^ld(?:-linux|-musl)?[-.][^/]*so/;
const HEAD = 256;
const MOST_INTERPRETERS = 4;
const W_OK = 2;

/** Which programs get shims. */
export interface TargetOptions {
  /** Names of programs. */
  readonly names: ReadonlySet<string>;
  /** Where they are looked for, as in `PATH`. */
  readonly path: string;
  /** Absolute paths of further ones. */
  readonly paths: readonly string[];
}

/**
 * The files in whose place shims have to stand so that programs of these names are asked about:
 * executables for this machine, links followed; and of a script, what runs it, because that reads
 * the script by its name. What the agent could write is left out: it may be replaced at any time,
 * and installers do that.
 */
export function shimTargets({ names, path, paths }: TargetOptions): string[] {
  const found = new Set<string>();
  const add = (file: string, depth = 0): void => {
    const real = realFile(file);
    if (real === undefined || depth > MOST_INTERPRETERS) return;
    const content = readContent(readStart(real, HEAD) ?? new Uint8Array());
    if (content.kind === "elf" && !isLoader(real) && !isWritable(real)) found.add(real);
    if (content.kind === "script" && content.interpreter.startsWith("/")) {
      add(content.interpreter, depth + 1);
    }
  };
  for (const directory of new Set(path.split(":"))) {
    if (!directory.startsWith("/")) continue;
    for (const name of namesIn(directory)) if (names.has(name)) add(join(directory, name));
  }
  for (const each of paths) add(each);
  return [...found];
}

function isLoader(file: string): boolean {
  return LOADER.test(file.slice(file.lastIndexOf("/") + 1));
}

function realFile(path: string): string | undefined {
  const descriptor = openPath(path);
  if (descriptor < 0) return undefined;
  try {
    const identity = identityAt(`/proc/self/fd/${descriptor}`);
    const isProgram = identity?.isRegular === true && identity.isExecutable;
    return isProgram ? readLink(`/proc/self/fd/${descriptor}`) : undefined;
  } finally {
    gate.close(descriptor);
  }
}

function isWritable(path: string): boolean {
  return libc.access(cString(path), W_OK) === 0;
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return []; // PATH may name what is not there
  }
}
