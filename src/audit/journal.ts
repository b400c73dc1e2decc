import { afterIfAlive } from "../core/after.ts";
import type { ExecutionEvent, KeyEvent } from "../core/event.ts";
import type { FirmaError } from "../core/result.ts";
import type { SigningKey } from "../pki/signing_key.ts";
import { chainEvents, chainFewEvents, type ChainHead } from "./chain.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { putCheckpointFile, readCheckpointFile } from "./checkpoint_file.ts";
import type { ClosedFile } from "./closed_file.ts";
import { catchUp, growTree, rebuild } from "./grow_tree.ts";
import { keyEvent } from "./key_event.ts";
import { LogFile } from "./log_file.ts";
import { isNodeModuleLoaded } from "../core/node_module.ts";
import { asLogError } from "./log_fault.ts";
import type { WrittenLines } from "./sink.ts";
import { redactEvent } from "./redact_event.ts";
import type { KeyCertificate } from "./key_certificate.ts";
import { isRotationDue, rotateLog, type RotationLimits } from "./rotate_log.ts";
import type { SigningKeySource } from "./signing_key_source.ts";
import type { Tail } from "./tail.ts";
import { sameHash } from "./merkle/hash.ts";
import { TreeFile } from "./tree_file.ts";
import { isOneSignedBy } from "./verify_line.ts";

/** What an {@linkcode AuditJournal} needs. */
export interface JournalOptions {
  readonly file: string;
  /** What signs, or where to ask for it before each line. */
  readonly key: SigningKey | SigningKeySource;
  /** The word of another key for the one that signs, where somebody vouches for it. */
  readonly certificate?: (publicKey: Uint8Array) => KeyCertificate | undefined;
  readonly redactNames?: readonly string[];
  readonly checkpointIntervalMs?: number;
  readonly lockTimeoutMs?: number;
  /** When to begin a new file; never without. */
  readonly rotation?: RotationLimits;
  /** Hears of lines once they are written. */
  readonly onWritten?: (lines: WrittenLines) => void;
  /** Hears of the file that the log went on from. */
  readonly onClosed?: (file: ClosedFile) => void;
  /** Hears why the log goes on in a file that should be closed. */
  readonly onTrouble?: (error: FirmaError) => void;
}

/** What {@linkcode AuditJournal.handOver} does besides the line. */
export interface HandOverSteps {
  readonly prepare: (leaving: SigningKey) => void;
  readonly install: () => void;
}

/** After how long it is tried again to close a file that could not be closed, in milliseconds. */
const ROTATE_AGAIN_MS = 60_000;

/** So many events are signed without loading `node:crypto`, if the key can be had without it. */
const FEW_EVENTS = 16;

/**
 * The chain in its file. Knows what the log held when it was last seen, so
 * that a log that lost lines since then says so in its own next line. Its
 * methods throw; afterwards {@linkcode release} it, and the next write opens
 * the file anew.
 */
export class AuditJournal {
  readonly path: string;
  readonly #options: JournalOptions;
  readonly #intervalMs: number;
  #key: SigningKey;
  #log: LogFile | undefined;
  #tree: TreeFile | undefined;
  /** Whether the tail of the open file has been compared with what is known. */
  #compared = false;
  #known: ChainHead | undefined;
  /** What the next write has to say about the log; kept until it is written. */
  #notes: KeyEvent[] = [];
  #rotateFrom = 0;
  #checkpointed = -1;
  #checkpointedAt = 0;
  /** Calls off the checkpoint that is planned. */
  #callOff: (() => void) | undefined;
  /** What is done with the log locked; what comes next waits, because the lock is the process's. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: JournalOptions) {
    this.path = options.file;
    this.#options = options;
    this.#intervalMs = options.checkpointIntervalMs ?? 5_000;
    this.#key = typeof options.key === "function" ? options.key(undefined) : options.key;
  }

  /** Writes `events` and, before them, what has to be said about the log itself. All or none. */
  write(events: readonly ExecutionEvent[]): Promise<void> {
    return this.#inTurn(() => this.#write(events));
  }

  /** Does `step` when nothing else is at the log. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #write(events: readonly ExecutionEvent[]): Promise<void> {
    await this.#rotateWhenDue();
    const log = await this.#lock();
    try {
      const tail = this.#synchronise(log);
      this.#adoptKey(tail);
      const compared = this.#compared ? [] : await this.#compare(log, tail);
      const notes = [...this.#notes];
      const all = [...compared, ...notes, ...events];
      this.#known = all.length === 0 ? tail.head : await this.#append(log, tail.head, all);
      this.#compared = true;
      // What came meanwhile is for the next time.
      this.#notes = this.#notes.slice(notes.length);
    } finally {
      log.unlock();
    }
  }

  /**
   * Has the key in force hand over to `next` in a line of its own, its last one. `prepare` is called
   * before that with the key that leaves, `install`, which puts `next` in its place, once the line is
   * on the disk; no process writes in between. Returns the number of the line.
   */
  handOver(next: SigningKey, steps: HandOverSteps): Promise<number> {
    return this.#inTurn(() => this.#handOver(next, steps));
  }

  async #handOver(next: SigningKey, steps: HandOverSteps): Promise<number> {
    const log = await this.#lock();
    try {
      const tail = this.#synchronise(log);
      this.#adoptKey(tail);
      steps.prepare(this.#key);
      const event = keyEvent(this.#key.publicKey, "handed_over", "last line of this key", {
        next_public_key: next.publicKey.toBase64(),
      });
      this.#known = await this.#append(log, tail.head, [event]);
      await log.syncData();
      steps.install();
      return this.#known.seq;
    } finally {
      log.unlock();
    }
  }

  /** Has the next write say what happened to the log. */
  note(detail: string): void {
    this.#notes.push(keyEvent(this.#key.publicKey, "recovered", detail));
  }

  /** Has the next write say that the lines up to `last` are not held any more. */
  noteDropped(first: number, last: number, detail: string): void {
    const members = { first_seq: first, last_seq: last };
    this.#notes.push(keyEvent(this.#key.publicKey, "dropped", detail, members));
  }

  /** Waits until everything written so far is on the disk. */
  async sync(): Promise<void> {
    await this.#open().syncData();
  }

  /** Whether the last checkpoint is old enough for the next one. */
  get checkpointDue(): boolean {
    return performance.now() - this.#checkpointedAt >= this.#intervalMs;
  }

  /**
   * Writes a checkpoint that vouches for all lines that this journal knows of;
   * without `force` only when there are new ones.
   */
  checkpoint(force = false): Promise<void> {
    this.#callOff?.();
    this.#callOff = undefined;
    return this.#inTurn(() => this.#checkpoint(force));
  }

  async #checkpoint(force: boolean): Promise<void> {
    const head = this.#known;
    if (head === undefined || (head.seq === this.#checkpointed && !force)) return;
    // A checkpoint must never survive a power cut that its lines did not survive. What lies in a
    // closed file was synchronised when that was closed.
    await this.#open().syncData();
    const log = await this.#lock();
    try {
      const tail = this.#synchronise(log);
      this.#adoptKey(tail);
      const last = tail.head.seq;
      const present = (await readCheckpointFile(this.path, this.#key.publicKey))?.size ?? -1;
      // One beyond the end of the log is from before the log was cut; one between is another
      // process's and later than ours.
      const later = present > head.seq && present <= last;
      if (!later) {
        const tree = this.#tree ??= new TreeFile(this.path);
        catchUp(tree, log, last);
        const root = tree.root(head.seq);
        await putCheckpointFile(this.path, { size: head.seq, root }, this.#key);
      }
    } finally {
      log.unlock();
    }
    this.#checkpointed = head.seq;
    this.#checkpointedAt = performance.now();
  }

  /** Plans a checkpoint for when it is due; a process may end before. */
  scheduleCheckpoint(onError: (error: FirmaError) => void): void {
    if (this.#callOff !== undefined || this.#known?.seq === this.#checkpointed) return;
    const wait = this.#checkpointedAt + this.#intervalMs - performance.now();
    this.#callOff = afterIfAlive(wait, () => {
      this.#callOff = undefined;
      this.checkpoint().catch((thrown) => onError(asLogError(this.path, thrown)));
    });
  }

  /** Closes the file. The next write opens it again. */
  release(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#closeLog();
    this.#closeTree();
  }

  #closeLog(): void {
    this.#log?.close();
    this.#log = undefined;
    this.#compared = false;
  }

  #closeTree(): void {
    this.#tree?.close();
    this.#tree = undefined;
  }

  #open(): LogFile {
    return this.#log ??= LogFile.open(this.path);
  }

  /** The file that takes lines, locked; opens the one that another process began meanwhile. */
  async #lock(): Promise<LogFile> {
    for (;;) {
      const log = this.#open();
      await log.lock(this.#options.lockTimeoutMs ?? 5_000);
      if (!log.wasRotated()) return log;
      this.#closeLog();
    }
  }

  /** Begins a new file where that is due. What stands in its way does not stop the log. */
  async #rotateWhenDue(): Promise<void> {
    const { rotation, onClosed, onTrouble } = this.#options;
    const isDue = (log: LogFile, tail: Tail) => isRotationDue(log, tail, rotation!);
    const known = this.#log?.known();
    if (rotation === undefined || known === undefined || !this.#compared) return;
    if (performance.now() < this.#rotateFrom || !isDue(this.#log!, known)) return;
    // Most of it; the rest is written to the disk while other processes wait.
    await this.#log!.syncData();
    const log = await this.#lock();
    try {
      const tail = this.#synchronise(log);
      this.#adoptKey(tail);
      if (!this.#compared || this.#notes.length > 0 || !isDue(log, tail)) return log.unlock();
      onClosed?.(rotateLog(log, tail, this.#tree ??= new TreeFile(this.path), this.#key));
      this.#checkpointed = tail.head.seq;
      this.#checkpointedAt = performance.now();
    } catch (cause) {
      this.#rotateFrom = performance.now() + ROTATE_AGAIN_MS;
      this.#closeTree();
      onTrouble?.(asLogError(this.path, cause));
    }
    this.#closeLog();
  }

  /** Asks for the key, with the log locked, so that none signs that has handed over. */
  #adoptKey({ lastLine }: Tail): void {
    const { key } = this.#options;
    if (typeof key === "function") this.#key = key(lastLine);
  }

  #synchronise(log: LogFile): Tail {
    const { tail, setAside } = log.synchronise();
    if (setAside !== undefined) {
      this.note(`a torn last line of ${setAside.bytes} bytes is in "${setAside.file}"`);
    }
    return tail;
  }

  async #append(
    log: LogFile,
    start: ChainHead,
    events: readonly ExecutionEvent[],
  ): Promise<ChainHead> {
    const { redactNames } = this.#options;
    const redacted = events.map((event) => redactEvent(event, redactNames));
    const isQuick = this.#key.webKey !== undefined && redacted.length <= FEW_EVENTS &&
      !isNodeModuleLoaded("node:crypto");
    const lines = isQuick
      ? await chainFewEvents(redacted, start, this.#key)
      : chainEvents(redacted, start, this.#key.privateKey);
    log.append(lines);
    try {
      growTree(this.#tree ??= new TreeFile(this.path), start.seq, lines.leaves);
    } catch {
      // The lines are written, which is what counts here; the next checkpoint makes up for it.
      this.#closeTree();
    }
    this.#options.onWritten?.({
      first: start.seq + 1,
      last: lines.head.seq,
      bytes: lines.bytes,
    });
    return lines.head;
  }

  /** What the log has to say about itself when it is opened. */
  async #compare(log: LogFile, tail: Tail): Promise<KeyEvent[]> {
    const notes: KeyEvent[] = [];
    const { publicKey } = this.#key;
    if (tail.lastLine === undefined) {
      notes.push(this.#firstOf("first line of this log"));
    } else if (!await isOneSignedBy(tail.lastLine, publicKey)) {
      notes.push(this.#firstOf("the line before was signed by another key"));
    }
    const checkpoint = await readCheckpointFile(this.path, publicKey);
    const vouched = Math.max(checkpoint?.size ?? 0, this.#known?.seq ?? 0);
    if (vouched > tail.head.seq) {
      const lost = vouched - tail.head.seq;
      notes.push(
        keyEvent(
          publicKey,
          "truncated",
          `the log held ${vouched} lines and now holds ${tail.head.seq}: ${lost} are missing`,
        ),
      );
    } else if (checkpoint !== undefined && !this.#vouchesFor(checkpoint, log, tail)) {
      const detail = `its first ${checkpoint.size} lines are not those that were vouched for`;
      notes.push(keyEvent(publicKey, "truncated", detail));
    }
    return notes;
  }

  #vouchesFor({ size, root }: Checkpoint, log: LogFile, { head }: Tail): boolean {
    const tree = this.#tree ??= new TreeFile(this.path);
    catchUp(tree, log, head.seq);
    if (sameHash(tree.root(size), root)) return true;
    // The tree is what can be damaged without the log being so.
    rebuild(tree, log, head.seq);
    // Of the lines before this file, the tree then has no roots but the last.
    return size < log.base().seq || sameHash(tree.root(size), root);
  }

  /** The first line of the key, with the word of whoever vouches for it. */
  #firstOf(detail: string): KeyEvent {
    const { publicKey } = this.#key;
    const certificate = this.#options.certificate?.(publicKey);
    if (certificate === undefined) return keyEvent(publicKey, "created", detail);
    return keyEvent(publicKey, "certified", detail, {
      root_public_key: certificate.rootPublicKey.toBase64(),
      root_signature: certificate.signature.toBase64(),
    });
  }
}
