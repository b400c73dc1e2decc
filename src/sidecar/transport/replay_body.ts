import { Buffer } from "node:buffer";
import type { BodyPrefix } from "../gate.ts";
import type { Body } from "./byte_source.ts";

/** A request body that can be read ahead and is then sent as if it had not been. */
export class ReplayBody implements Body {
  readonly #inner: Body;
  /** Asks for a body that its sender holds back. */
  readonly #invite: () => void;
  readonly #ahead: Uint8Array[] = [];
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
    return this.#ahead.length > 0 ? Promise.resolve() : this.#inner.wait();
  }

  /**
   * The whole body when it is at most `limit` bytes, else `undefined`. Rejects when the
   * body breaks off. Must come before the first `take`.
   */
  async readAhead(limit: number): Promise<Uint8Array | undefined> {
    if (this.length !== undefined && this.length > limit) return undefined;
    const { bytes, whole } = await this.readPrefix(limit);
    return whole ? bytes : undefined;
  }

  /**
   * The body as far as it goes before it has more than `limit` bytes. Rejects when the
   * body breaks off. Must come before the first `take`.
   */
  async readPrefix(limit: number): Promise<BodyPrefix> {
    this.#begun = true;
    this.#invite();
    let size = this.#ahead.reduce((sum, piece) => sum + piece.length, 0);
    while (size <= limit) {
      const piece = this.#inner.take();
      if (piece === null) return { bytes: Buffer.concat(this.#ahead), whole: true };
      if (piece === undefined) {
        await this.#inner.wait();
        continue;
      }
      // The piece is borrowed from its source, which will reuse or release it.
      this.#ahead.push(Buffer.from(piece));
      size += piece.length;
    }
    return { bytes: Buffer.concat(this.#ahead), whole: false };
  }
}
