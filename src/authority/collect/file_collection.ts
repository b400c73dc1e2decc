import { ensurePrivateDirectory } from "../../config/paths.ts";
import { join } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { sha256 } from "../../core/sha256.ts";
import type { EventFilter } from "../../audit/search/event_filter.ts";
import type { Collection, FoundLine, LogChange, LogName } from "./collection.ts";
import { LogDirectory } from "./log_directory.ts";
import { searchDirectories } from "./search_directories.ts";

/** Longest name that a directory may get. */
const LONGEST = 160;

/**
 * What is collected, in files of one machine: a directory for each Sidecar, in it one for each log.
 * A log whose directory is moved away is one that nobody has shipped yet.
 */
export class FileCollection implements Collection {
  readonly #directory: string;
  readonly #lock: Deno.FsFile;
  readonly #logs = new Map<string, LogDirectory>();
  /** The end of what is being done with each log. */
  readonly #queues = new Map<string, Promise<unknown>>();

  private constructor(directory: string, lock: Deno.FsFile) {
    this.#directory = directory;
    this.#lock = lock;
  }

  /** Opens the collection in a directory, which is made where it is missing. */
  static open(directory: string): Result<FileCollection> {
    const made = ensurePrivateDirectory(directory);
    if (!made.ok) return made;
    const lock = Deno.openSync(join(directory, ".lock"), {
      write: true,
      create: true,
      mode: 0o600,
    });
    if (lock.tryLockSync(true)) return ok(new FileCollection(directory, lock));
    lock.close();
    return err({
      code: "COLLECTION_IN_USE",
      message: `Cannot collect audit logs in "${directory}": another Authority does`,
      cure: "end it, or name another directory in [authority.audit]",
    });
  }

  owner(log: LogName, key: Uint8Array | undefined): Promise<string | undefined> {
    return this.#next(log.id, () => {
      const owner = this.#ownerOf(log.id);
      if (owner !== undefined || key === undefined) return Promise.resolve(owner);
      LogDirectory.make(this.#directoryOf(log), log.sidecar, key);
      return Promise.resolve(log.sidecar);
    });
  }

  change<T>(log: LogName, work: (change: LogChange) => Promise<T>): Promise<T> {
    return this.#next(log.id, async () => {
      const path = this.#directoryOf(log);
      let directory = this.#logs.get(path);
      if (directory !== undefined && !directory.isThere()) {
        directory.close();
        directory = undefined;
      }
      directory ??= await LogDirectory.open(path);
      this.#logs.set(path, directory);
      try {
        const value = await work(directory);
        await directory.sync();
        return value;
      } catch (cause) {
        // What is on the disk is looked at again.
        directory.close();
        this.#logs.delete(path);
        throw cause;
      }
    });
  }

  async *search(filter: EventFilter, limit: number): AsyncGenerator<FoundLine> {
    yield* await searchDirectories(this.#directory, filter, limit);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#queues.values());
    for (const log of this.#logs.values()) log.close();
    this.#logs.clear();
    this.#lock.close();
  }

  #next<T>(id: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#queues.get(id) ?? Promise.resolve()).then(work, work);
    const settled = done.then(() => {}, () => {});
    this.#queues.set(id, settled);
    void settled.then(() => {
      if (this.#queues.get(id) === settled) this.#queues.delete(id);
    });
    return done;
  }

  #ownerOf(id: string): string | undefined {
    for (const { name, isDirectory } of Deno.readDirSync(this.#directory)) {
      if (!isDirectory) continue;
      const owner = LogDirectory.ownerOf(join(this.#directory, name, id));
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  #directoryOf({ sidecar, id }: LogName): string {
    return join(this.#directory, directoryName(sidecar), id);
  }
}

/** A name for a directory that stands for a client, whatever that is called. */
function directoryName(sidecar: string): string {
  const name = encodeURIComponent(sidecar).replaceAll(
    /[.!'()*]/g,
    (mark, at) =>
      mark === "." && at > 0 ? mark : `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return name.length <= LONGEST ? name : `${name.slice(0, 100)}-${sha256(sidecar).slice(0, 32)}`;
}
