import type { Revocation } from "../../core/authority.ts";
import { Broadcast } from "../broadcast.ts";

/** A whole list of revocations, or `undefined` for nothing but a sign of life. */
export type RevocationBeat = readonly Revocation[] | undefined;

/** Lists of revocations for many streams, with a sign of life in between. */
export class RevocationFeed {
  readonly #beats = new Broadcast<RevocationBeat>((beat) => beat === undefined);
  readonly #closing = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #running: Promise<void>;
  readonly #first = Promise.withResolvers<void>();
  #latest: RevocationBeat;

  /** Starts to read `watch`; `beatMs` is how often there is a sign of life. */
  constructor(
    watch: (signal: AbortSignal) => AsyncIterable<readonly Revocation[]>,
    beatMs: number,
  ) {
    this.#timer = setInterval(() => this.#beats.publish(undefined), beatMs);
    this.#running = this.#follow(watch(this.#closing.signal));
  }

  /** What is revoked, then each change; ends when `signal` aborts. */
  async *beats(signal: AbortSignal): AsyncGenerator<RevocationBeat> {
    await this.#first.promise;
    // Without a list there is nothing to give a sign of life about.
    for await (const beat of this.#beats.subscribe(() => [this.#latest], signal)) yield beat;
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#running;
  }

  async #follow(lists: AsyncIterable<readonly Revocation[]>): Promise<void> {
    for await (const list of lists) {
      this.#latest = list;
      this.#beats.publish(list);
      this.#first.resolve();
    }
    this.#first.resolve();
  }
}
