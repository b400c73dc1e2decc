import { basename, dirname } from "../../../core/path.ts";
import { type FileIdentity, identityAt, identityKey, isSameFile, readStart } from "./file.ts";

/** Programs that are larger are not looked for under other names. */
const LARGEST = 64 * 1024 * 1024;
const MOST_REMEMBERED = 4096;

/** Loaders lie in no directory of `PATH`, but where every program names them. */
const LOADER = /^ld-/;
const LOADER_DIRECTORIES = ["/lib64", "/lib"];

interface Known {
  readonly path: string;
  readonly name: string;
}

/** Recognises copies of governed programs by their content, whatever they are called. */
export class KnownPrograms {
  readonly #bySize: ReadonlyMap<number, readonly Known[]>;
  readonly #remembered = new Map<string, readonly string[]>();

  /** Looks for programs of these names in the directories of `path`, as in `PATH`, and at `paths`. */
  constructor(names: ReadonlySet<string>, path: string, paths: readonly string[]) {
    const bySize = new Map<number, Known[]>();
    const add = (directory: string, name: string) => {
      const known = { path: `${directory}/${name}`, name };
      const size = identityAt(known.path)?.size;
      if (size !== undefined) bySize.set(size, [...bySize.get(size) ?? [], known]);
    };
    for (const directory of new Set(path.split(":"))) {
      for (const name of namesIn(directory)) if (names.has(name)) add(directory, name);
    }
    for (const name of names) {
      if (LOADER.test(name)) { for (const directory of LOADER_DIRECTORIES) add(directory, name); }
    }
    for (const each of paths) add(dirname(each), basename(each));
    this.#bySize = bySize;
  }

  /** The names of the programs that a file, at `path` for us, is a copy of. */
  namesOf(path: string, identity: FileIdentity): readonly string[] {
    const alike = this.#bySize.get(identity.size);
    if (alike === undefined || identity.size > LARGEST) return [];
    const key = identityKey(identity);
    let names = this.#remembered.get(key);
    if (names === undefined) {
      names = alike.filter((known) => isCopy(path, identity, known)).map(({ name }) => name);
      if (!identity.isSettled) return names;
      if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
      this.#remembered.set(key, names);
    }
    return names;
  }
}

/** The file itself is no copy: it goes by the names that it is called by. */
function isCopy(path: string, identity: FileIdentity, known: Known): boolean {
  const other = identityAt(known.path);
  if (other === undefined || isSameFile(identity, other) || other.size !== identity.size) {
    return false;
  }
  const { size } = identity;
  const [one, two] = [readStart(path, size), readStart(known.path, size)];
  if (one === undefined || two === undefined || one.length !== two.length) return false;
  return one.every((byte, at) => byte === two[at]);
}

/** Files alone: a link has the content of a program that may do many things. */
function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile).map(({ name }) => name);
  } catch {
    return [];
  }
}
