/** Questions to a worker that wait for their answer, each under its key. */
export class Waiting<K, T> {
  readonly #resolvers = new Map<K, (answer: T) => void>();

  /** How many wait. */
  get size(): number {
    return this.#resolvers.size;
  }

  /** The answer that {@linkcode settle} will give under `key`. One at a time for each key. */
  answer(key: K): Promise<T> {
    return new Promise((resolve) => this.#resolvers.set(key, resolve));
  }

  /** Gives an answer; `false` when nobody waits for it. */
  settle(key: K, answer: T): boolean {
    const resolve = this.#resolvers.get(key);
    this.#resolvers.delete(key);
    resolve?.(answer);
    return resolve !== undefined;
  }

  /** Gives everybody who waits the same answer. */
  settleAll(answer: T): void {
    for (const key of [...this.#resolvers.keys()]) this.settle(key, answer);
  }
}
