import { basename } from "../../../core/path.ts";
import {
  type FileIdentity,
  identityKey,
  identityOf,
  isAt,
  openPath,
  openWithin,
  readLink,
  readStart,
} from "./file.ts";
import { ContentHashes } from "./content_hashes.ts";
import type { KnownPrograms } from "./known_programs.ts";
import { cString, ERRNO, libc } from "./libc.ts";
import type { Attempt } from "./listener.ts";

/** A program file that was found. */
export interface Program {
  /** All links followed. */
  readonly file: string;
  readonly identity: FileIdentity;
  readonly content: Content;
  /** Names of governed programs that it is a copy of. */
  readonly copyOf: readonly string[];
}

/** What the kernel will make of a file. */
export type Content =
  | { readonly kind: "elf" }
  | { readonly kind: "script"; readonly interpreter: string; readonly argument?: string }
  /** Nothing that the kernel runs by itself. */
  | { readonly kind: "other" };

type CString = ReturnType<typeof cString>;

const AT_EMPTY_PATH = 0x1000;
const AT_FDCWD = -100;
/** The kernel's own limit for the first line of a script. */
const HEAD = 256;
const MOST_KNOWN = 4096;
const OWN = /^\/(?:proc\/(?:self|thread-self)|dev)\/(exe|fd\/\d+)$/;
const DELETED = " (deleted)";

/** Finds what callers mean, as they see the file system: all of them share one root directory. */
export class Programs {
  readonly hashes = new ContentHashes();
  #known: KnownPrograms | undefined;
  #root: number | undefined;
  /** What files begin with; a file that changes is another. */
  readonly #contents = new Map<string, Content>();

  /** Where what shims stand for really is, by the places of their files. */
  standIns: ReadonlyMap<string, string> = new Map();

  /** The programs of absolute paths as they were found last, to be found again with one look. */
  readonly #found = new Map<string, { readonly below: CString; readonly program: Program }>();

  /** What copies are recognised by. */
  set known(known: KnownPrograms) {
    this.#known = known;
    this.#found.clear();
  }

  /** The program that an attempt names, or the error number that it would fail with. */
  find(attempt: Attempt, path: string): Program | number {
    const { pid, directory } = attempt;
    const own = ownPath(attempt, path);
    if (own !== undefined) return this.#at(openPath(own));
    const full = path === "" ? undefined : this.absolute(pid, path, directory);
    return full === undefined ? ERRNO.ENOENT : this.within(pid, full);
  }

  /** The SHA-256 of the program that an attempt was found to name; `undefined` where it has changed. */
  digestOf(attempt: Attempt, path: string, { identity }: Program): string | undefined {
    const known = this.hashes.known(identity);
    if (known !== undefined) return known;
    const own = ownPath(attempt, path);
    const full = own ?? this.absolute(attempt.pid, path, attempt.directory);
    if (full === undefined || this.#root === undefined) return undefined;
    const descriptor = this.real(own === undefined ? openWithin(this.#root, full) : openPath(own));
    if (descriptor < 0) return undefined;
    try {
      const now = identityOf(descriptor);
      if (now === undefined || identityKey(now) !== identityKey(identity)) return undefined;
      return this.hashes.of(`/proc/self/fd/${descriptor}`, now);
    } finally {
      libc.close(descriptor);
    }
  }

  /** The path that a caller means; `undefined` when where it is has no name any more. */
  absolute(pid: number, path: string, directory?: number): string | undefined {
    if (path.startsWith("/")) return path;
    const from = readLink(`/proc/${pid}/${base(directory)}`);
    return from === undefined || from.endsWith(DELETED) ? undefined : `${from}/${path}`;
  }

  /** The program at an absolute path of the caller, or the error number of looking for it. */
  within(pid: number, path: string): Program | number {
    this.#root ??= rootOf(pid);
    if (this.#root === undefined) return ERRNO.EACCES;
    const before = this.#found.get(path);
    // Links are followed as we see them here, which can only lead to another file, not to this one:
    // and what runs in the end is compared with this one once more.
    if (before !== undefined && isAt(this.#root, before.below, before.program.identity)) {
      return before.program;
    }
    const program = this.#at(openWithin(this.#root, path));
    if (typeof program !== "number" && program.identity.isSettled) {
      if (this.#found.size >= MOST_KNOWN) this.#found.clear();
      this.#found.set(path, { below: cString(path.slice(1)), program });
    }
    return program;
  }

  /** The same descriptor, or one of what its file stands for, which takes its place. */
  real(descriptor: number): number {
    if (descriptor < 0 || this.standIns.size === 0) return descriptor;
    const path = this.standIns.get(identityOf(descriptor)?.place ?? "");
    if (path === undefined) return descriptor;
    libc.close(descriptor);
    return openPath(path);
  }

  #at(found: number): Program | number {
    const descriptor = this.real(found);
    if (descriptor < 0) return -descriptor;
    try {
      const identity = identityOf(descriptor);
      const self = `/proc/self/fd/${descriptor}`;
      const file = readLink(self);
      if (identity === undefined || file === undefined) return ERRNO.EACCES;
      if (!identity.isRegular || !identity.isExecutable) return ERRNO.EACCES;
      const copyOf = this.#known?.namesOf(self, identity) ?? [];
      return { file, identity, content: this.#content(self, identity), copyOf };
    } finally {
      libc.close(descriptor);
    }
  }

  #content(path: string, identity: FileIdentity): Content {
    const key = identityKey(identity);
    let content = this.#contents.get(key);
    if (content === undefined) {
      content = readContent(readStart(path, HEAD) ?? new Uint8Array());
      if (!identity.isSettled) return content;
      if (this.#contents.size >= MOST_KNOWN) this.#contents.clear();
      this.#contents.set(key, content);
    }
    return content;
  }
}

/** What a caller names by itself or one of its descriptors, as a path of ours. */
function ownPath({ pid, directory, flags }: Attempt, path: string): string | undefined {
  if (path !== "") {
    const own = OWN.exec(path);
    return own === null ? undefined : `/proc/${pid}/${own[1]}`;
  }
  const isDescriptor = directory !== undefined && (flags & AT_EMPTY_PATH) !== 0;
  return isDescriptor ? `/proc/${pid}/${base(directory)}` : undefined;
}

function base(directory: number | undefined): string {
  return directory === undefined || directory === AT_FDCWD ? "cwd" : `fd/${directory}`;
}

function rootOf(pid: number): number | undefined {
  const descriptor = openPath(`/proc/${pid}/root`);
  return descriptor < 0 ? undefined : descriptor;
}

const decoder = new TextDecoder();
const MACHINES: Readonly<Record<typeof Deno.build.arch, number>> = { x86_64: 62, aarch64: 183 };

/** Reads the beginning of a file as the kernel does (execve(2), interpreter scripts). */
export function readContent(head: Uint8Array): Content {
  const isElf = head.length >= 20 && decoder.decode(head.subarray(1, 4)) === "ELF" &&
    head[0] === 0x7f && head[18]! + (head[19]! << 8) === MACHINES[Deno.build.arch];
  if (isElf) return { kind: "elf" };
  if (head[0] !== 0x23 || head[1] !== 0x21) return { kind: "other" };
  const zero = head.indexOf(0);
  const text = decoder.decode(zero < 0 ? head : head.subarray(0, zero));
  const end = text.indexOf("\n");
  const line = (end < 0 ? text : text.slice(0, end)).slice(2).replace(/^[ \t]+|[ \t]+$/g, "");
  const [, interpreter = "", argument = ""] = /^([^ \t]*)[ \t]*(.*)$/s.exec(line) ?? [];
  if (interpreter === "") return { kind: "other" };
  return { kind: "script", interpreter, ...(argument !== "" && { argument }) };
}

/** The names that a program goes by, without those that are empty or come twice. */
export function namesOf(...paths: readonly string[]): string[] {
  const names = paths.map((path) =>
    basename(path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path)
  );
  return [...new Set(names.filter((name) => name !== "" && name !== "/"))];
}
