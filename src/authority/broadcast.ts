/**
 * Hands each published value to every subscriber, in order. A subscriber that is
 * slow keeps of each kind of value only the newest: what it holds up does not
 * grow, and it never hears what is no longer so.
 */
export class Broadcast<T> {
  readonly #subscribers = new Set<(value: T) => void>();
  readonly #kindOf: (value: T) => unknown;

  /** Of values of one kind the newest says all; by default all are of one kind. */
  constructor(kindOf: (value: T) => unknown = () => undefined) {
    this.#kindOf = kindOf;
  }

  /** Publishes a value. */
  publish(value: T): void {
    for (const push of this.#subscribers) push(value);
  }

  /**
   * First what `start` returns, then each value published from then on; ends when
   * `signal` aborts.
   */
  async *subscribe(start: () => readonly T[], signal: AbortSignal): AsyncGenerator<T> {
    // Of each kind one, in the order in which they were published last.
    const queue = new Map<unknown, T>();
    let wake = () => {};
    const push = (value: T) => {
      const kind = this.#kindOf(value);
      queue.delete(kind);
      queue.set(kind, value);
      wake();
    };
    const onAbort = () => wake();
    this.#subscribers.add(push);
    signal.addEventListener("abort", onAbort);
    try {
      for (const value of start()) push(value);
      while (!signal.aborted) {
        const next = queue.entries().next();
        if (next.done) {
          await new Promise<void>((resolve) => wake = resolve);
          continue;
        }
        const [kind, value] = next.value;
        queue.delete(kind);
        yield value;
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#subscribers.delete(push);
    }
  }
}
