import type { Body } from "../byte_source.ts";
import type { FieldList } from "./exchange.ts";

/** A body that is made as fast as it is sent. */
export class ProducedBody implements Body {
  readonly length = undefined;
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #trailers: () => FieldList;
  readonly #sending: (isSending: boolean) => void;
  #next: Uint8Array | undefined | null;

  /**
   * `trailers` is asked when the last piece was sent. `sending` hears when a piece is on its way
   * and when it is done with: in between it is the client that is waited for.
   */
  constructor(
    pieces: AsyncIterable<Uint8Array>,
    trailers: () => FieldList,
    sending: (isSending: boolean) => void,
  ) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#trailers = trailers;
    this.#sending = sending;
  }

  get trailers(): FieldList {
    return this.#trailers();
  }

  take(): Uint8Array | undefined | null {
    const piece = this.#next;
    if (piece === null) return null;
    this.#next = undefined;
    this.#sending(piece !== undefined);
    return piece;
  }

  async wait(): Promise<void> {
    this.#sending(false);
    const { done, value } = await this.#pieces.next();
    this.#next = done === true ? null : value;
  }

  /** Nothing more is wanted. Whatever happens to those who make it concerns nobody any more. */
  async end(): Promise<void> {
    this.#sending(false);
    await this.#pieces.return?.().catch(() => {});
  }
}
