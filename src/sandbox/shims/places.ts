import { PRIVATE_DIR } from "../handoff.ts";
import { identityAt, readLink } from "../init/gate/file.ts";
import { ASK_SOCKET, NAMES_DIR, SHIMS_DIR } from "./protocol.ts";
import { shimFile } from "./shim_file.ts";

/** A governed program, and the file that stands in its place in the inner layer. */
export interface Shim {
  /** The real file, links followed; the same path in both layers. */
  readonly file: string;
  readonly shim: string;
}

/** Where all of it lies in the outer layer. */
export interface ShimPlaces {
  /** What the inner layer sees at {@linkcode SHIMS_DIR}. */
  readonly directory: string;
  /** The shims, which are mounted one by one. */
  readonly shims: string;
}

/** Where `__init` keeps it. */
export const SHIM_PLACES: ShimPlaces = {
  directory: `${PRIVATE_DIR}/gate`,
  shims: `${PRIVATE_DIR}/shims`,
};

/** The socket of the gate, as `__init` sees it. */
export function socketIn({ directory }: ShimPlaces): string {
  return ASK_SOCKET.replace(SHIMS_DIR, directory);
}

/** Makes the directories. */
export function makePlaces({ directory, shims }: ShimPlaces): void {
  for (const path of [directory, NAMES_DIR.replace(SHIMS_DIR, directory), shims]) {
    Deno.mkdirSync(path, { mode: 0o755 });
  }
}

/** Writes a shim for each program: files of their own, so that the kernel tells which one runs. */
export function writeShims({ shims }: ShimPlaces, files: readonly string[]): Shim[] {
  const content = shimFile(ASK_SOCKET);
  return files.map((file, index) => {
    const shim = `${shims}/${index}`;
    Deno.writeFileSync(shim, content, { mode: 0o755 });
    return { file, shim };
  });
}

/** The real files by the identities of their shims. */
export function byShim(shims: readonly Shim[]): Map<string, string> {
  return new Map(shims.map(({ file, shim }) => [identityAt(shim)!.place, file]));
}

/** The mounts of the inner layer, as options of bwrap. */
export function shimMounts({ directory }: ShimPlaces, shims: readonly Shim[]): string[] {
  return [
    ...["--ro-bind", directory, SHIMS_DIR],
    ...shims.flatMap(({ file, shim }) => ["--ro-bind", shim, file]),
  ];
}

const MOST_NAMES = 4096;
const PLAIN = /^[\w.+-]{1,64}$/;

/**
 * Paths by which a process executes one of its descriptors, so that it goes by the name that it was
 * called by: from the number alone, the kernel would call it after that.
 */
export class ExecutedNames {
  readonly #known = new Set<string>();
  readonly #directory: string;

  constructor({ directory }: ShimPlaces) {
    this.#directory = directory;
  }

  /** The path for descriptor `number`, called `name` where that is a plain one. */
  pathOf(number: number, name: string): string {
    const descriptor = `/proc/self/fd/${number}`;
    const path = `${NAMES_DIR}/${number}/${name}`;
    if (this.#known.has(path)) return path;
    if (!PLAIN.test(name) || name === "." || name === ".." || this.#known.size >= MOST_NAMES) {
      return descriptor;
    }
    const inner = path.replace(SHIMS_DIR, this.#directory);
    Deno.mkdirSync(inner.slice(0, inner.lastIndexOf("/")), { recursive: true, mode: 0o755 });
    Deno.symlinkSync(descriptor, inner);
    this.#known.add(path);
    return path;
  }
}

/**
 * The number that the next descriptor of a process will have, if it opens no other before: the
 * lowest that is free. What a shim has open begins with 0, which its socket takes where it is free.
 */
export function nextDescriptor(pid: number): number | undefined {
  let number = 0;
  while (readLink(`/proc/${pid}/fd/${number}`) !== undefined) number++;
  return number === 0 ? undefined : number;
}
