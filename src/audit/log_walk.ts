import { basename } from "../core/path.ts";
import { type Base, baseRoot } from "./base.ts";
import { type ChainHead, GENESIS, lineHash } from "./chain.ts";
import { type CheckedLines, countOf, type LineBreak, orderBreak } from "./check_lines.ts";
import type { TreeHead } from "./checkpoint.ts";
import type { LogSnapshot } from "./log_parts.ts";
import { Accumulator } from "./merkle/accumulator.ts";
import { HASH_BYTES, leafHash, sameHash } from "./merkle/hash.ts";
import type { Break, VerifyReport } from "./verify.ts";

const NEWLINE = 0x0a;

const NOT_VOUCHED_FOR: Pick<Break, "code" | "reason"> = {
  code: "CHECKPOINT_MISMATCH",
  reason: "it is not the line that the checkpoint vouches for, or one before it is not",
};

/** What somebody says of a log as a whole. */
export interface Vouched extends TreeHead {
  /** Whether a known key has signed it: else it accuses no line. Absent: one has. */
  readonly isBelieved?: () => boolean;
}

/** What is proved of a log, as far as somebody has walked through it. */
export class LogWalk {
  readonly #snapshot: LogSnapshot;
  readonly #vouched: readonly Vouched[];
  readonly #from: TreeHead | undefined;
  #head: ChainHead = GENESIS;
  #tree = new Accumulator();
  /** `seq` of the last line before the first one that is there. */
  #before = 0;
  #isBegun = false;
  #droppedUpTo = 0;
  /** The file that is walked through. */
  #path = "";

  /**
   * `from` is an earlier checkpoint, up to which lines are held against its root alone; `witnessed`
   * is one that somebody else saw.
   */
  constructor(
    snapshot: LogSnapshot,
    checkpoint: Vouched | undefined,
    from: TreeHead | undefined,
    witnessed?: TreeHead,
  ) {
    this.#snapshot = snapshot;
    this.#vouched = [from, checkpoint, witnessed].filter((head) => head !== undefined);
    this.#from = from;
  }

  /** Goes on in the next file. */
  enter(path: string): void {
    this.#path = path;
  }

  /** Whether the next line is held against the earlier checkpoint alone. */
  get isSkimming(): boolean {
    return this.#isBegun && this.#head.seq < (this.#from?.size ?? 0);
  }

  /** Goes on by checked lines; `isFileStart`: the first of them is the first of a file. */
  join(checked: CheckedLines, isFileStart: boolean): Break | undefined {
    const { first } = checked;
    if (first === undefined) return checked.broken && this.#break(checked.broken);
    if (!this.#isBegun) {
      this.#begin(first.seq, first.prev, isFileStart ? first.base : undefined);
      const unlike = this.#rootBreak();
      if (unlike !== undefined) return unlike;
    }
    const displaced = orderBreak(first, this.#head);
    if (displaced !== undefined) return this.#break(displaced);
    if (isFileStart && first.base && !sameHash(baseRoot(first.base), this.#tree.root())) {
      const reason = "it speaks of other lines before it than those that are there";
      return this.#break({ code: "CHECKPOINT_MISMATCH", reason });
    }
    for (let index = 0; index < checked.count; index++) {
      const leaf = checked.leaves.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
      const unlike = this.#append(leaf);
      if (unlike !== undefined) return unlike;
    }
    if (checked.count > 0) this.#head = { seq: this.#head.seq, hash: checked.lastHash };
    this.#droppedUpTo = Math.max(this.#droppedUpTo, checked.droppedUpTo);
    return checked.broken && this.#break(checked.broken);
  }

  /** Hashes whole lines as long as {@linkcode isSkimming}; returns what is left of them. */
  skim(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | Break {
    let start = 0;
    while (this.isSkimming && start < bytes.length) {
      const end = bytes.indexOf(NEWLINE, start);
      const line = bytes.subarray(start, end);
      start = end + 1;
      const unlike = this.#append(leafHash(line));
      if (unlike !== undefined) return unlike;
      if (!this.isSkimming) this.#head = { seq: this.#head.seq, hash: lineHash(line) };
    }
    return bytes.subarray(start);
  }

  /** Whether lines that the earlier checkpoint vouches for were dropped, so that nothing can be said of it. */
  get isEarlierGone(): boolean {
    return this.#from !== undefined && this.#from.size < this.#before;
  }

  /** The last line has no end. */
  torn(): Break {
    const reason = "it has no end: the writer died, or it was cut";
    return this.#break({ code: "TORN", reason });
  }

  /** What is missing where the log ends, and where it begins. */
  end(): Break | undefined {
    for (const { size, isBelieved } of this.#vouched) {
      if (size <= this.#head.seq || isBelieved?.() === false) continue;
      return this.#break({
        code: "TRUNCATED",
        reason: `it is missing with all after it, ${countOf(size - this.#head.seq)}: ` +
          `the checkpoint vouches for ${size}`,
      });
    }
    if (!this.#snapshot.isWhole || this.#before <= this.#droppedUpTo) return undefined;
    const line = this.#droppedUpTo + 1;
    return {
      line,
      code: "TRUNCATED",
      reason: `it is missing with all up to ${this.#before}: the log begins after them, and ` +
        "holds no record that they were dropped",
    };
  }

  report(): Omit<VerifyReport, "whole"> {
    const { path, parts } = this.#snapshot;
    return {
      file: path,
      lines: this.#head.seq - this.#before,
      ...(this.#before > 0 && { first: this.#before + 1 }),
      ...(parts.length > 1 && { files: parts.length }),
      ...(this.#from && { vouchedEarlier: Math.max(0, this.#from.size - this.#before) }),
    };
  }

  #begin(seq: number, prev: string, base: Base | undefined): void {
    this.#isBegun = true;
    if (base === undefined || base.seq !== seq - 1) return;
    // The line before is not here; this one, which is signed, stands for it.
    this.#before = base.seq;
    this.#head = { seq: base.seq, hash: prev };
    this.#tree = Accumulator.resume(base.seq, base.peaks);
  }

  #append(leaf: Uint8Array): Break | undefined {
    this.#tree.append(leaf);
    const unlike = this.#rootBreak();
    if (unlike === undefined) this.#head = { seq: this.#tree.leaves, hash: "" };
    return unlike;
  }

  #rootBreak(): Break | undefined {
    const { leaves } = this.#tree;
    for (const { size, root, isBelieved } of this.#vouched) {
      if (size !== leaves || sameHash(this.#tree.root(), root)) continue;
      if (isBelieved?.() !== false) return this.#break(NOT_VOUCHED_FOR);
    }
    return undefined;
  }

  /** What is wrong with the line after the last one that is proved. */
  #break(broken: LineBreak | Pick<Break, "code" | "reason">): Break {
    const isOne = this.#snapshot.parts.length < 2;
    return { line: this.#head.seq + 1, ...(!isOne && { file: basename(this.#path) }), ...broken };
  }
}
