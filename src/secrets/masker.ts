import { Buffer } from "node:buffer";
import { replacement } from "./mask_replacement.ts";
import { MaskScan } from "./mask_scan.ts";
import type { MaskTable } from "./mask_table.ts";

const SMALLEST = 4_096;
const NOTHING = Buffer.alloc(0);

/** How secrets are replaced. */
export interface MaskOptions {
  /** Replace each by as many bytes, for contents that count them. @default {false} */
  readonly sameSize?: boolean;
}

/**
 * Takes secrets out of bytes that come piece by piece. However the bytes are cut into pieces, the
 * same comes out. What could be the beginning of a secret waits for what follows; all else goes out
 * at once.
 */
export class Masker {
  /** How many secrets were replaced. */
  replaced = 0;
  readonly #table: () => MaskTable;
  readonly #sameSize: boolean;
  readonly #scan = new MaskScan();
  #space = NOTHING;
  #words = new Int32Array(0);
  /** What waits lies between these in the space. */
  #hold = 0;
  #size = 0;
  /** Everything before this place went out; what waits may be part of a secret that was replaced. */
  #done = 0;

  /** `table` is asked for each piece, so that a secret that becomes known is found from then on. */
  constructor(table: () => MaskTable, options: MaskOptions = {}) {
    this.#table = table;
    this.#sameSize = options.sameSize ?? false;
  }

  /**
   * Takes a piece; returns what can go out, valid until the next call. Throws `MaskFailure` where
   * nothing may go out.
   */
  push(piece: Uint8Array): Buffer {
    this.add(piece);
    return this.flush();
  }

  /** Takes a piece and looks at it with what comes before the next {@linkcode flush}. */
  add(piece: Uint8Array): void {
    const waiting = this.#moveToStart(piece.length);
    this.#space.set(piece, waiting);
    this.#size = waiting + piece.length;
  }

  /** What can go out of all that was added, as {@linkcode push} returns it. */
  flush(): Buffer {
    return this.#release(false);
  }

  /** Nothing belongs to what came any more: returns what waited. Something else may be pushed then. */
  end(): Buffer {
    const waiting = this.#moveToStart(0);
    this.#size = waiting;
    return waiting === 0 ? NOTHING : this.#release(true);
  }

  /** Moves what waits to the start, with room for `more` bytes behind it; returns its size. */
  #moveToStart(more: number): number {
    const waiting = this.#size - this.#hold;
    const needed = waiting + more;
    if (needed <= this.#space.length) {
      if (waiting > 0) this.#space.copyWithin(0, this.#hold, this.#size);
    } else {
      const size = Math.max(SMALLEST, 1 << Math.ceil(Math.log2(needed)));
      const larger = Buffer.allocUnsafeSlow(size);
      this.#space.copy(larger, 0, this.#hold, this.#size);
      this.#space = larger;
      this.#words = new Int32Array(larger.buffer, larger.byteOffset, larger.length >> 2);
    }
    this.#done = Math.max(0, this.#done - this.#hold);
    this.#hold = 0;
    return waiting;
  }

  #release(final: boolean): Buffer {
    const table = this.#table();
    const scan = this.#scan;
    const from = this.#done;
    this.#hold = this.#size;
    if (!table.isEmpty) {
      scan.run(table, this.#space, this.#words, this.#size, final);
      this.#hold = scan.hold;
      if (scan.matches.length > 0) return this.#compose(table);
    }
    this.#done = Math.max(from, this.#hold);
    return this.#space.subarray(from, this.#done);
  }

  /** Puts together what goes out where something is replaced; overlapping secrets go as a whole. */
  #compose(table: MaskTable): Buffer {
    const parts: Uint8Array[] = [];
    this.#scan.matches.sort((a, b) => a.start - b.start || b.end - a.end);
    for (const { start, end, text, tail } of this.#scan.matches) {
      if (start >= this.#hold) break;
      if (end <= this.#done) continue;
      if (start > this.#done) parts.push(this.#space.subarray(this.#done, start));
      const form = table.forms[table.formOf[text]!]!;
      const head = table.first[text]!;
      const size = end - Math.max(start, this.#done);
      parts.push(replacement({ form, head, tail, size }, this.#sameSize));
      this.replaced++;
      this.#done = end;
    }
    if (this.#hold > this.#done) {
      parts.push(this.#space.subarray(this.#done, this.#hold));
      this.#done = this.#hold;
    }
    return Buffer.concat(parts);
  }
}
