/** Keeps the last of what it is given, at most so many. */
export class Newest<T extends { readonly timestamp: string }> {
  readonly #most: number;
  #kept: T[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(entry: T): void {
    this.#kept.push(entry);
    if (this.#kept.length >= 2 * this.#most + 64) this.#cut();
  }

  /** Oldest first. */
  list(): readonly T[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    // Sorting keeps the order of what has the same time.
    this.#kept.sort((a, b) => a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0);
    this.#kept = this.#kept.slice(-this.#most);
  }
}
