import type { Hash } from "../../audit/merkle/hash.ts";
import { readIfThere, replaceFile } from "../../audit/small_files.ts";
import { writeAll } from "../../audit/write_all.ts";
import { join } from "../../core/path.ts";
import { timestamp } from "../../core/timestamp.ts";
import { branchesIn, BranchFiles } from "./branch_files.ts";
import type { Branch, CheckedLine, Head, Incident, LogChange, LogKeys } from "./collection.ts";

const ABOUT = "log.json";
const INCIDENTS = "incidents.jsonl";
const KEYS = "keys.json";
const WITNESSED = "witnessed.json";

/** A log that is collected into a directory. Methods throw what the file system throws. */
export class LogDirectory implements LogChange {
  readonly #path: string;
  readonly #branches: BranchFiles[];
  #lastIncident: string | undefined;
  #keys: LogKeys | undefined;

  private constructor(path: string, branches: BranchFiles[]) {
    this.#path = path;
    this.#branches = branches;
  }

  /** Says whose log there is at `path`; `undefined` without one. */
  static ownerOf(path: string): string | undefined {
    const text = readIfThere(join(path, ABOUT));
    return text === undefined ? undefined : JSON.parse(text).sidecar;
  }

  /** Makes the directory of a log. */
  static make(path: string, sidecar: string, key: Uint8Array): void {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    replaceFile(join(path, "audit.key.pub"), `${key.toBase64()}\n`);
    writeKeys(path, { inForce: [key], all: [key] });
    replaceFile(join(path, ABOUT), `${JSON.stringify({ sidecar, since: timestamp() })}\n`);
  }

  /** Opens what there is; a log that nobody has shipped yet has no directory. */
  static async open(path: string): Promise<LogDirectory> {
    const branches: BranchFiles[] = [];
    if (LogDirectory.ownerOf(path) !== undefined) {
      for (const each of branchesIn(path)) {
        const branch = await BranchFiles.open(each);
        if (branch !== undefined) branches.push(branch);
      }
    }
    return new LogDirectory(path, branches);
  }

  get keys(): LogKeys {
    if (this.#keys === undefined) {
      const { in_force, keys } = JSON.parse(readIfThere(join(this.#path, KEYS)) ?? "{}");
      this.#keys = { inForce: decodeKeys(in_force), all: decodeKeys(keys) };
    }
    return this.#keys;
  }

  setKeys(keys: LogKeys): Promise<void> {
    writeKeys(this.#path, keys);
    this.#keys = keys;
    return Promise.resolve();
  }

  /** Whether it is still where it was opened. */
  isThere(): boolean {
    return LogDirectory.ownerOf(this.#path) !== undefined;
  }

  get branch(): Branch | undefined {
    return this.#branches.at(-1)?.branch;
  }

  leaf(seq: number): Promise<Hash | undefined> {
    for (const branch of this.#branches.toReversed()) {
      const leaf = branch.leaf(seq);
      if (leaf !== undefined) return Promise.resolve(leaf);
    }
    return Promise.resolve(undefined);
  }

  root(size: number): Promise<Hash | undefined> {
    return Promise.resolve(this.#branches.at(-1)?.root(size));
  }

  async append(lines: readonly CheckedLine[], begin: boolean): Promise<void> {
    if (begin) {
      await this.sync();
      const number = (this.branch?.number ?? 0) + 1;
      this.#branches.push(BranchFiles.begin(this.#path, number, lines[0]!.seq));
    }
    this.#branches.at(-1)!.append(lines);
  }

  record(incident: Incident): Promise<boolean> {
    const path = join(this.#path, INCIDENTS);
    const said = JSON.stringify(incident);
    // Whoever has shown no line of it makes no directory either.
    if (!this.isThere()) return Promise.resolve(true);
    this.#lastIncident ??= lastIncident(path);
    if (this.#lastIncident === said) return Promise.resolve(false);
    using file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
    const line = JSON.stringify({ ...incident, timestamp: timestamp() });
    writeAll(file, new TextEncoder().encode(`${line}\n`));
    file.syncDataSync();
    this.#lastIncident = said;
    return Promise.resolve(true);
  }

  witnessed(): Promise<Head | undefined> {
    const text = readIfThere(join(this.#path, WITNESSED));
    if (text === undefined) return Promise.resolve(undefined);
    const { size, root } = JSON.parse(text);
    return Promise.resolve({ size, root: Uint8Array.fromBase64(root) });
  }

  setWitnessed({ size, root }: Head): Promise<void> {
    const text = JSON.stringify({ size, root: root.toBase64() });
    replaceFile(join(this.#path, WITNESSED), `${text}\n`);
    return Promise.resolve();
  }

  /** Waits until everything is on the disk. */
  async sync(): Promise<void> {
    await this.#branches.at(-1)?.sync();
  }

  close(): void {
    for (const branch of this.#branches) branch.close();
  }
}

function writeKeys(directory: string, { inForce, all }: LogKeys): void {
  const encode = (list: readonly Uint8Array[]) => list.map((key) => key.toBase64());
  const text = JSON.stringify({ in_force: encode(inForce), keys: encode(all) });
  replaceFile(join(directory, KEYS), `${text}\n`);
}

function decodeKeys(list: unknown): Uint8Array[] {
  return Array.isArray(list) ? list.map((key) => Uint8Array.fromBase64(key)) : [];
}

function lastIncident(path: string): string | undefined {
  const last = readIfThere(path)?.trimEnd().split("\n").at(-1);
  if (!last) return undefined;
  const { timestamp: _, ...incident } = JSON.parse(last);
  return JSON.stringify(incident);
}
