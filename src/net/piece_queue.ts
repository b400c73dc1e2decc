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
  #size = 0;

  /** How many bytes wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds a piece, which belongs to the queue from now on. */
  push(piece: Buffer): void {
    if (piece.length < SMALL) return this.#pack(piece);
    const wasteful = piece.length * WASTE < piece.buffer.byteLength;
    this.#append(wasteful ? Buffer.from(piece) : piece);
  }

  /** Adds a copy of a piece that its owner will reuse. */
  pushCopy(piece: Uint8Array): void {
    if (piece.length < SMALL) this.#pack(piece);
    else this.#append(Buffer.from(piece));
  }

  /** Everything in one piece; it stays in the queue. */
  all(): Buffer {
    this.#closeBlock();
    return Buffer.concat(this.#pieces, this.#size);
  }

  /** Takes the next piece. */
  shift(): Buffer | undefined {
    if (this.#pieces.length === 0) this.#closeBlock();
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.#size -= piece.length;
    return piece;
  }

  /** Drops everything; returns how many bytes that was. */
  clear(): number {
    const size = this.#size;
    this.#pieces.length = this.#used = this.#size = 0;
    this.#block = undefined;
    return size;
  }

  #append(piece: Buffer): void {
    this.#closeBlock();
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  #pack(piece: Uint8Array): void {
    if (piece.length === 0) return;
    if (this.#used + piece.length > BLOCK) this.#closeBlock();
    const size = this.#used + piece.length;
    if (this.#block === undefined || size > this.#block.length) {
      const larger = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(FIRST_BLOCK, size * 2)));
      this.#block?.copy(larger, 0, 0, this.#used);
      this.#block = larger;
    }
    this.#block.set(piece, this.#used);
    this.#used = size;
    this.#size += piece.length;
  }

  #closeBlock(): void {
    if (this.#used === 0) return;
    this.#pieces.push(this.#block!.subarray(0, this.#used));
    this.#block = undefined;
    this.#used = 0;
  }
}
