import { dirname } from "../core/path.ts";
import { timestamp } from "../core/timestamp.ts";
import { unwrap } from "../core/result.ts";
import type { ChainedLines } from "./chain.ts";
import { type Base, baseOf, NOTHING_BEFORE } from "./base.ts";
import { firstLine } from "./first_line.ts";
import { logFault } from "./log_fault.ts";
import { writeAll } from "./write_all.ts";
import { linesBetween, readRange, readTail, startOfLastLines, type Tail } from "./tail.ts";

/** A torn line that was moved out of the log. */
export interface SetAside {
  readonly file: string;
  readonly bytes: number;
}

/**
 * An audit log that several processes append to. Every method throws a
 * `FirmaException`, or what the file system throws; the writer turns both into
 * its state. Between {@linkcode lock} and {@linkcode unlock} everything is
 * synchronous: the lock is held for as short as can be.
 */
export class LogFile {
  readonly path: string;
  readonly #file: Deno.FsFile;
  #tail: Tail | undefined;
  #base: Base | undefined;
  #bornMs: number | undefined;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
  }

  /** Opens the log at `path`; makes it (mode 0600) and its directory (0700) where missing. */
  static open(path: string): LogFile {
    Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = Deno.openSync(path, { read: true, append: true, create: true, mode: 0o600 });
    if (!file.statSync().isFile) {
      file.close();
      throw logFault(path, "it is not a regular file");
    }
    return new LogFile(path, file);
  }

  /** Waits until no other process appends, for at most `timeoutMs` milliseconds. */
  async lock(timeoutMs: number): Promise<void> {
    if (this.#file.tryLockSync(true)) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<"timeout">((resolve) => {
      timer = setTimeout(() => resolve("timeout"), timeoutMs);
    });
    const locked = this.#file.lock(true).then(() => "locked" as const);
    try {
      // A lock that is won after the time-out goes with the file, which the writer then closes.
      if (await Promise.race([locked, timeout]) === "timeout") {
        locked.catch(() => {});
        throw logFault(
          this.path,
          `another process has held its lock for ${timeoutMs / 1000} s`,
        );
      }
    } finally {
      clearTimeout(timer);
    }
  }

  unlock(): void {
    this.#file.unlockSync();
  }

  /**
   * Whether another process closed this file, and the log goes on in the one that has its name now.
   * Call with the lock held, which then is that of a file that nobody writes to any more.
   */
  wasRotated(): boolean {
    const opened = this.#file.statSync();
    try {
      const named = Deno.statSync(this.path);
      if (named.ino === opened.ino && named.dev === opened.dev) return false;
      using next = Deno.openSync(this.path, { read: true });
      const members = firstLine(next);
      return members !== undefined && baseOf(members) !== undefined;
    } catch {
      return false; // what is wrong is told by whoever writes next
    }
  }

  /** The end of the file as this process last saw it. */
  known(): Tail | undefined {
    return this.#tail;
  }

  /** What came before the lines of this file. Call with the lock held. */
  base(): Base {
    if (this.#base === undefined) this.#readFirstLine();
    return this.#base ?? NOTHING_BEFORE;
  }

  /** When its first line was written, in milliseconds since the epoch; `undefined` without one. */
  bornMs(): number | undefined {
    if (this.#bornMs === undefined) this.#readFirstLine();
    return this.#bornMs;
  }

  #readFirstLine(): void {
    const members = firstLine(this.#file);
    if (members === undefined) return;
    this.#base = baseOf(members) ?? NOTHING_BEFORE;
    const bornMs = Date.parse(String(members.timestamp));
    this.#bornMs = Number.isNaN(bornMs) ? 0 : bornMs;
  }

  /**
   * The end of the file as it is now, whoever wrote it; a torn line is moved to
   * a file beside the log first. Call with the lock held.
   */
  synchronise(): { readonly tail: Tail; readonly setAside?: SetAside } {
    const size = this.#checkedSize();
    if (this.#tail?.wholeBytes === size) return { tail: this.#tail };
    const tail = unwrap(readTail(this.#file, this.path, size));
    this.#tail = tail;
    if (tail.tornBytes === 0) return { tail };
    const file = this.#copyTornLine(tail);
    this.#file.truncateSync(tail.wholeBytes);
    this.#tail = { ...tail, tornBytes: 0 };
    return { tail: this.#tail, setAside: { file, bytes: tail.tornBytes } };
  }

  /**
   * Appends lines: all of them or, after a failure, none. Call after
   * {@linkcode synchronise} with the lock still held.
   */
  append({ bytes, lastLine, head }: ChainedLines): void {
    const before = this.#tail!.wholeBytes;
    try {
      writeAll(this.#file, bytes);
    } catch (cause) {
      this.#tail = undefined;
      this.#file.truncateSync(before);
      throw cause;
    }
    this.#tail = { head, lastLine, wholeBytes: before + bytes.length, tornBytes: 0 };
  }

  /**
   * The last `count` lines without their newlines, each valid until the next is asked for. Call
   * after {@linkcode synchronise} with the lock still held.
   */
  lastLines(count: number): Iterable<Uint8Array> {
    const end = this.#tail!.wholeBytes;
    return linesBetween(this.#file, startOfLastLines(this.#file, end, count), end);
  }

  /** Waits until everything written so far is on the disk. */
  syncData(): Promise<void> {
    return this.#file.syncData();
  }

  /** The same, at once: for what little was written since {@linkcode syncData}. */
  syncDataNow(): void {
    this.#file.syncDataSync();
  }

  close(): void {
    this.#file.close();
  }

  #checkedSize(): number {
    const opened = this.#file.statSync();
    let named: Deno.FileInfo;
    try {
      named = Deno.statSync(this.path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) throw logFault(this.path, "it was deleted");
      throw cause;
    }
    if (named.ino !== opened.ino || named.dev !== opened.dev) {
      throw logFault(this.path, "it was replaced by another file");
    }
    if (this.#tail !== undefined && opened.size < this.#tail.wholeBytes) {
      throw logFault(this.path, "it became shorter");
    }
    return opened.size;
  }

  #copyTornLine(tail: Tail): string {
    const name = `${this.path}.torn-${timestamp().replaceAll(/[-:]/g, "")}`;
    using file = Deno.openSync(name, { write: true, createNew: true, mode: 0o600 });
    try {
      const end = tail.wholeBytes + tail.tornBytes;
      for (let start = tail.wholeBytes; start < end; start += 1 << 20) {
        writeAll(file, readRange(this.#file, start, Math.min(end, start + (1 << 20))));
      }
      file.syncSync();
      return name;
    } catch (cause) {
      Deno.removeSync(name); // the line is still whole in the log
      throw cause;
    }
  }
}
