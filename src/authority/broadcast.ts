/** Hands each published value to every subscriber, in order. */
export class Broadcast<T> {
  readonly #subscribers = new Set<(value: T) => void>();

  /** Publishes a value. */
  publish(value: T): void {
    for (const push of this.#subscribers) push(value);
  }

  /**
   * First what `start` returns, then each value published from then on; ends when
   * `signal` aborts. A value that directly follows itself is handed over once, so
   * that a reader who is slow does not collect repetitions.
   */
  async *subscribe(start: () => readonly T[], signal: AbortSignal): AsyncGenerator<T> {
    const queue: T[] = [];
    let wake = () => {};
    const push = (value: T) => {
      if (queue.at(-1) !== value) queue.push(value);
      wake();
    };
    const onAbort = () => wake();
    this.#subscribers.add(push);
    signal.addEventListener("abort", onAbort);
    try {
      queue.push(...start());
      while (!signal.aborted) {
        const next = queue.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#subscribers.delete(push);
    }
  }
}
