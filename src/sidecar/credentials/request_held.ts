/** No secret that somebody sends in a field is longer, in whatever way it is escaped. */
const LONGEST = 64 * 1024;

/** A few bytes that are held back until it is known what they are. */
export class HeldBytes {
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** It is longer than any secret: no more should be added. */
  get isFull(): boolean {
    return this.#size > LONGEST;
  }

  /** Adds a copy. */
  add(piece: Uint8Array): void {
    if (piece.length > 0) this.#pieces.push(piece.slice());
    this.#size += piece.length;
  }

  /** Everything. */
  bytes(): Uint8Array {
    if (this.#pieces.length === 1) return this.#pieces[0]!;
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** Everything, as text in UTF-8. */
  text(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.bytes());
  }

  /** Forgets everything. */
  clear(): void {
    this.#pieces = [];
    this.#size = 0;
  }
}
