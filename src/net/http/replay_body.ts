import type { Body } from "../byte_source.ts";
import { PieceQueue } from "../piece_queue.ts";

/** The beginning of a body. */
export interface BodyPrefix {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
}

/** A request body that can be read ahead and is then sent as if it had not been. */
export class ReplayBody implements Body {
  readonly #inner: Body;
  /** Asks for a body that its sender holds back. */
  readonly #invite: () => void;
  readonly #ahead = new PieceQueue();
  #begun = false;
  #done = false;

  constructor(inner: Body, invite: () => void) {
    this.#inner = inner;
    this.#invite = invite;
  }

  get length(): number | undefined {
    return this.#inner.length;
  }

  get trailers(): Body["trailers"] {
    return this.#inner.trailers;
  }

  /** Whether any of it was asked for. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether all of it was taken. */
  get done(): boolean {
    return this.#done;
  }

  take(): Uint8Array | undefined | null {
    this.#begun = true;
    const piece = this.#ahead.shift() ?? this.#inner.take();
    if (piece === null) this.#done = true;
    return piece;
  }

  wait(): Promise<void> {
    return this.#ahead.size > 0 ? Promise.resolve() : this.#inner.wait();
  }

  /**
   * The whole body when it is at most `limit` bytes, else `undefined`. Rejects when the
   * body breaks off. Must come before the first `take`. `heard` is called for each piece.
   */
  async readAhead(limit: number, heard?: () => void): Promise<Uint8Array | undefined> {
    if (this.length !== undefined && this.length > limit) return undefined;
    const { bytes, whole } = await this.readPrefix(limit, heard);
    return whole ? bytes : undefined;
  }

  /**
   * The body as far as it goes before it has more than `limit` bytes. Rejects when the
   * body breaks off. Must come before the first `take`. `heard` is called for each piece.
   */
  async readPrefix(limit: number, heard?: () => void): Promise<BodyPrefix> {
    this.#begun = true;
    this.#invite();
    while (this.#ahead.size <= limit) {
      const piece = this.#inner.take();
      if (piece === null) return { bytes: this.#ahead.all(), whole: true };
      if (piece === undefined) {
        await this.#inner.wait();
        continue;
      }
      heard?.();
      this.#ahead.pushCopy(piece);
    }
    return { bytes: this.#ahead.all(), whole: false };
  }

  /**
   * Reads what is left away, and asks for it where its sender holds it back; `false` when that is
   * more than `limit` bytes. Rejects when the body breaks off. `heard` is called for each piece.
   */
  async drain(limit: number, heard: () => void): Promise<boolean> {
    this.#invite();
    for (let left = limit; left >= 0;) {
      const piece = this.take();
      if (piece === null) return true;
      if (piece === undefined) {
        await this.wait();
        continue;
      }
      left -= piece.length;
      heard();
    }
    return false;
  }
}
