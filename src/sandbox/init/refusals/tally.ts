/** An attempt to reach something that no sandbox reaches. */
export interface Refusal {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  /** The name that led to the address. */
  readonly host?: string;
  readonly pid?: number;
  readonly executable?: string;
}

/** What is told of refusals: one of them with how often it came, or how many others there were. */
export interface RefusalReport {
  readonly count: number;
  /** Absent: they are too many to be told one by one. */
  readonly refusal?: Refusal;
}

/** How many reports there may be at once, and how long until another one, in milliseconds. */
const MOST_AT_ONCE = 20;
const ANOTHER_MS = 3_000;
/** Different refusals that are counted apart. */
const MOST_KEPT = 64;

/**
 * Counts refusals so that an agent that tries everything fills no log: what is new is told at once
 * while there are few, repeats and the rest are counted until {@linkcode RefusalTally.flush}.
 */
export class RefusalTally {
  readonly #tell: (report: RefusalReport) => void;
  readonly #now: () => number;
  readonly #kept = new Map<string, { readonly refusal: Refusal; count: number }>();
  #others = 0;
  #room = MOST_AT_ONCE;
  #filled: number;

  constructor(tell: (report: RefusalReport) => void, now: () => number = Date.now) {
    this.#tell = tell;
    this.#now = now;
    this.#filled = now();
  }

  add(refusal: Refusal): void {
    const { protocol, address, port, executable } = refusal;
    const key = [protocol, address, port, executable].join(" ");
    const known = this.#kept.get(key);
    if (known !== undefined) known.count++;
    else if (this.#kept.size >= MOST_KEPT) this.#others++;
    else {
      const tellNow = this.#takeRoom();
      this.#kept.set(key, { refusal, count: tellNow ? 0 : 1 });
      if (tellNow) this.#tell({ refusal, count: 1 });
    }
  }

  /** Tells what was only counted so far, in as few reports as there may be. */
  flush(): void {
    let others = this.#others;
    for (const { refusal, count } of this.#kept.values()) {
      if (count === 0) continue;
      if (this.#takeRoom()) this.#tell({ refusal, count });
      else others += count;
    }
    if (others > 0) this.#tell({ count: others });
    this.#others = 0;
    this.#kept.clear();
  }

  #takeRoom(): boolean {
    const now = this.#now();
    const more = Math.floor((now - this.#filled) / ANOTHER_MS);
    if (more > 0) {
      this.#room = Math.min(MOST_AT_ONCE, this.#room + more);
      this.#filled += more * ANOTHER_MS;
    }
    if (this.#room === 0) return false;
    this.#room--;
    return true;
  }
}
