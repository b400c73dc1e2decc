import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { bringBack, type BroughtBack } from "../../src/restore/bring_back.ts";
import { Losses } from "../../src/restore/losses.ts";
import type { Manifest } from "../../src/restore/manifest.ts";
import { withRoot } from "../../src/restore/open_path.ts";
import { pruneSnapshots } from "../../src/restore/prune.ts";
import { StoredContent } from "../../src/restore/stored_content.ts";
import { readManifest, writeManifest } from "../../src/restore/store.ts";
import { type TakeOptions, takeSnapshot } from "../../src/restore/take.ts";

/** A workspace with a store of snapshots beside it; removed at the end. */
export class Bench implements AsyncDisposable {
  readonly base: string;
  readonly workspace: string;
  readonly store: string;
  readonly #firstMs = Date.now();
  #taken = 0;

  private constructor(base: string) {
    this.base = base;
    this.workspace = join(base, "workspace");
    this.store = join(base, "store");
    Deno.mkdirSync(this.workspace);
    Deno.mkdirSync(this.store);
  }

  static async create(): Promise<Bench> {
    return new Bench(await Deno.makeTempDir({ prefix: "firma-restore-" }));
  }

  path(name: string): string {
    return join(this.workspace, name);
  }

  /** Writes a file with its directories. */
  write(name: string, text: string | Uint8Array): void {
    Deno.mkdirSync(join(this.path(name), ".."), { recursive: true });
    if (typeof text === "string") Deno.writeTextFileSync(this.path(name), text);
    else Deno.writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.path(name));
  }

  /** Takes a snapshot and keeps it. */
  take(options: Partial<TakeOptions> = {}): Manifest {
    // Identifiers of one millisecond sort by chance, and snapshots of a test follow on each other
    // faster than those of runs.
    const id = newId("sbx", this.#firstMs + this.#taken++);
    const directory = join(this.store, id);
    Deno.mkdirSync(directory);
    const manifest = takeSnapshot({
      workspace: this.workspace,
      id,
      directory,
      exclude: [],
      hidden: [],
      placeholders: [],
      maxFileSize: 1 << 30,
      maxTotalSize: 1 << 30,
      ...options,
    });
    writeManifest(directory, manifest);
    return manifest;
  }

  /** What is lost now: paths deleted and changed. */
  losses(manifest: Manifest, ignored: readonly string[] = []) {
    using content = new StoredContent(this.store, manifest.header);
    const losses = new Losses(manifest, content, ignored);
    withRoot(this.workspace, (root) => losses.lookAtAll(root));
    const { deleted, changed } = losses;
    const paths = (fate: "deleted" | "changed") => losses.paths(fate, 1_000_000).sort();
    const found = { deleted: paths("deleted"), changed: paths("changed") };
    if (found.deleted.length !== deleted || found.changed.length !== changed) {
      throw new Error("the counts are not those of the paths");
    }
    return found;
  }

  /** Brings back, by the snapshot as it lies in the store. */
  bringBack(
    { header: { id } }: Manifest,
    options: { only?: string[]; force?: boolean; dryRun?: boolean } = {},
  ): BroughtBack {
    const manifest = readManifest(this.store, id);
    if (!manifest.ok) throw new Error(manifest.error.message);
    using content = new StoredContent(this.store, manifest.value.header);
    return withRoot(this.workspace, (root) =>
      bringBack({
        manifest: manifest.value,
        content,
        root,
        force: false,
        dryRun: false,
        ...options,
      }));
  }

  prune(count: number, ageMs = 86_400_000, inUse: readonly string[] = []): void {
    pruneSnapshots(this.store, { count, ageMs, isInUse: (id) => inUse.includes(id) });
  }

  /** Everything below the workspace with kind, mode, nanosecond times and content. */
  async picture(): Promise<string> {
    const script = 'find . -mindepth 1 -printf "%P %y %m %T@ %l\\n" | sort; ' +
      "find . -type f -print0 | sort -z | xargs -0r sha256sum";
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", script],
      cwd: this.workspace,
      env: { LC_ALL: "C" },
    }).output();
    return new TextDecoder("latin1").decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.base, { recursive: true });
  }
}
