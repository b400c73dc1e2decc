import { join } from "../../core/path.ts";
import { unwrap } from "../../core/result.ts";
import { readLines } from "../../audit/lines.ts";
import { type Hash, leafHash } from "../../audit/merkle/hash.ts";
import { readTail } from "../../audit/tail.ts";
import { TreeFile } from "../../audit/tree_file.ts";
import { writeAll } from "../../audit/write_all.ts";
import type { Branch, CheckedLine } from "./collection.ts";

/** Size at which a file is followed by the next, so that old ones can be taken away. */
const LARGEST_FILE = 64 * 1024 * 1024;
const DIRECTORY = /^(\d{1,3})-from-(\d{1,16})$/;
const FILE = /^lines-(\d{16})\.jsonl$/;
const BATCH = 1_024;
const NEWLINE = 0x0a;

/** The directory of a branch. */
export function branchDirectory(number: number, first: number): string {
  return `${number}-from-${first}`;
}

/** The branches in the directory of a log, oldest first. */
export function branchesIn(directory: string): { number: number; first: number; path: string }[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name }) => {
    const [, number, first] = DIRECTORY.exec(name) ?? [];
    if (number === undefined) return [];
    return [{ number: Number(number), first: Number(first), path: join(directory, name) }];
  }).sort((a, b) => a.number - b.number);
}

/** The files of a branch, oldest first. */
export function filesIn(branch: string): { readonly path: string; readonly first: number }[] {
  return [...Deno.readDirSync(branch)].flatMap(({ name }) => {
    const first = FILE.exec(name)?.[1];
    return first === undefined ? [] : [{ path: join(branch, name), first: Number(first) }];
  }).sort((a, b) => a.first - b.first);
}

/**
 * A branch in files that only grow, each named by its first line, with the hashes of its tree
 * beside them. Old files may be taken away; the last one must stay. Methods throw what the file
 * system throws.
 */
export class BranchFiles {
  readonly #directory: string;
  readonly #tree: TreeFile;
  #branch: Branch;
  #file: Deno.FsFile;
  #size: number;

  private constructor(
    directory: string,
    branch: Branch,
    open: { readonly file: Deno.FsFile; readonly size: number },
    tree: TreeFile,
  ) {
    this.#directory = directory;
    this.#branch = branch;
    this.#file = open.file;
    this.#size = open.size;
    this.#tree = tree;
  }

  /** Begins a branch; nothing of it counts before lines are appended. */
  static begin(log: string, number: number, first: number): BranchFiles {
    const directory = join(log, branchDirectory(number, first));
    Deno.mkdirSync(directory, { mode: 0o700, recursive: true });
    const branch = { number, first, last: first - 1, hash: "" };
    const open = { file: openFile(directory, first), size: 0 };
    const tree = new TreeFile(join(directory, "lines"));
    tree.truncate(0);
    return new BranchFiles(directory, branch, open, tree);
  }

  /** Opens a branch; `undefined` when no line of it was kept before its Authority died. */
  static async open(
    { number, first, path }: { number: number; first: number; path: string },
  ): Promise<BranchFiles | undefined> {
    for (const file of filesIn(path).reverse()) {
      const opened = Deno.openSync(file.path, { read: true, append: true });
      const tail = unwrap(readTail(opened, file.path, opened.statSync().size));
      if (tail.lastLine === undefined) {
        opened.close();
        Deno.removeSync(file.path);
        continue;
      }
      // What was not acknowledged comes again.
      if (tail.tornBytes > 0) opened.truncateSync(tail.wholeBytes);
      const { seq: last, hash } = tail.head;
      const open = { file: opened, size: tail.wholeBytes };
      const tree = new TreeFile(join(path, "lines"));
      const branch = new BranchFiles(path, { number, first, last, hash }, open, tree);
      await branch.#mendTree();
      return branch;
    }
    return undefined;
  }

  get branch(): Branch {
    return this.#branch;
  }

  /** The leaf of a line; `undefined` for one that is not in this branch. */
  leaf(seq: number): Hash | undefined {
    const { first, last } = this.#branch;
    if (seq < first || seq > last || this.#tree.leaves() <= seq - first) return undefined;
    return this.#tree.leaf(seq - first);
  }

  /** The root over the first lines of the log, where this branch has them all. */
  root(size: number): Hash | undefined {
    const { first, last } = this.#branch;
    if (first !== 1 || size > last || this.#tree.leaves() < size) return undefined;
    return this.#tree.root(size);
  }

  /** Appends lines; they are on the disk after {@linkcode sync}. */
  append(lines: readonly CheckedLine[]): void {
    const { number, first, last } = this.#branch;
    if (this.#size >= LARGEST_FILE) {
      this.#file.syncDataSync();
      this.#file.close();
      this.#file = openFile(this.#directory, last + 1);
      this.#size = 0;
    }
    const bytes = joined(lines);
    try {
      writeAll(this.#file, bytes);
    } catch (cause) {
      this.#file.truncateSync(this.#size);
      throw cause;
    }
    this.#size += bytes.length;
    if (this.#tree.leaves() > last - first + 1) this.#tree.truncate(last - first + 1);
    this.#tree.append(lines.map((line) => leafHash(line.bytes)));
    const { seq, hash } = lines.at(-1)!;
    this.#branch = { number, first, last: seq, hash };
  }

  /** Waits until everything appended is on the disk. */
  sync(): Promise<void> {
    return this.#file.syncData();
  }

  close(): void {
    this.#file.close();
    this.#tree.close();
  }

  /** Makes the tree that of the lines: what follows from them may be behind or ahead. */
  async #mendTree(): Promise<void> {
    const { first, last } = this.#branch;
    const count = last - first + 1;
    let known = Math.min(this.#tree.leaves(), count);
    this.#tree.truncate(known);
    if (known === count) return;
    let leaves: Hash[] = [];
    let seq = 0;
    for (const file of filesIn(this.#directory)) {
      using opened = Deno.openSync(file.path, { read: true });
      seq = file.first;
      for await (const { bytes } of readLines(opened, opened.statSync().size)) {
        if (seq++ - first !== known) continue;
        known++;
        leaves.push(leafHash(bytes));
        if (leaves.length === BATCH) {
          this.#tree.append(leaves);
          leaves = [];
        }
      }
    }
    this.#tree.append(leaves);
  }
}

function openFile(directory: string, first: number): Deno.FsFile {
  const name = `lines-${String(first).padStart(16, "0")}.jsonl`;
  const options = { read: true, append: true, create: true, mode: 0o600 };
  return Deno.openSync(join(directory, name), options);
}

function joined(lines: readonly CheckedLine[]): Uint8Array {
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.bytes.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line.bytes, at);
    at += line.bytes.length;
    bytes[at++] = NEWLINE;
  }
  return bytes;
}
