/** How often something happened. */
export interface Count {
  total: number;
  denied: number;
}

/** Names beyond this are forgotten, those first that were heard of longest ago. */
const MOST_NAMES = 512;

/** Counts by name, in bounded memory: names come from whoever makes calls. */
export class Counts {
  readonly #counts = new Map<string, Count>();

  add(name: string, denied: boolean): void {
    const count = this.#counts.get(name) ?? { total: 0, denied: 0 };
    count.total++;
    if (denied) count.denied++;
    // Heard of last stands last.
    this.#counts.delete(name);
    this.#counts.set(name, count);
    if (this.#counts.size <= MOST_NAMES) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      break;
    }
  }

  get(name: string): Readonly<Count> | undefined {
    return this.#counts.get(name);
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Most frequent first, then by name. */
  sorted(): (readonly [name: string, count: Readonly<Count>])[] {
    return [...this.#counts].sort(([a, x], [b, y]) => y.total - x.total || (a < b ? -1 : 1));
  }
}
