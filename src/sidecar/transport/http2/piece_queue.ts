import { Buffer } from "node:buffer";

/** Pieces below this size are packed together. */
const SMALL = 2_048;
const BLOCK = 16_384;
const FIRST_BLOCK = 512;
/** A piece may hold so many times its size in memory: it is a window on what was read at once. */
const WASTE = 4;

/**
 * Bytes that wait for their reader, in order. However the sender cuts them up, what they hold in
 * memory stays in proportion to their number, which is what flow control bounds.
 */
export class PieceQueue {
  readonly #pieces: Buffer[] = [];
  /** What small pieces are packed into; comes after all of `#pieces`. */
  #block: Buffer | undefined;
  #used = 0;

  get empty(): boolean {
    return this.#pieces.length === 0 && this.#used === 0;
  }

  /** Adds a piece, which belongs to the queue from now on. */
  push(piece: Buffer): void {
    if (piece.length < SMALL) return this.#pack(piece);
    this.#closeBlock();
    const wasteful = piece.length * WASTE < piece.buffer.byteLength;
    this.#pieces.push(wasteful ? Buffer.from(piece) : piece);
  }

  /** Takes the next piece. */
  shift(): Buffer | undefined {
    if (this.#pieces.length === 0) this.#closeBlock();
    return this.#pieces.shift();
  }

  /** Drops everything; returns how many bytes that was. */
  clear(): number {
    this.#closeBlock();
    let size = 0;
    for (const piece of this.#pieces) size += piece.length;
    this.#pieces.length = 0;
    return size;
  }

  #pack(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.#used + piece.length > BLOCK) this.#closeBlock();
    const size = this.#used + piece.length;
    if (this.#block === undefined || size > this.#block.length) {
      const larger = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(FIRST_BLOCK, size * 2)));
      this.#block?.copy(larger, 0, 0, this.#used);
      this.#block = larger;
    }
    piece.copy(this.#block, this.#used);
    this.#used = size;
  }

  #closeBlock(): void {
    if (this.#used === 0) return;
    this.#pieces.push(this.#block!.subarray(0, this.#used));
    this.#block = undefined;
    this.#used = 0;
  }
}
