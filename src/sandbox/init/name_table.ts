/** Stands between the names that programs look up and the addresses that they then connect to. */

const FIRST = (198 << 24 | 18 << 16) >>> 0; // 198.18.0.0/15, RFC 2544: never on the internet
const SIZE = 1 << 17;

/** How many names an agent may have in use at once. */
const CAPACITY = 16_384;

/** Gives each name an address of its own. The least recently used name goes when it is full. */
export class NameTable {
  readonly #addresses = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #capacity: number;
  #next = 0;

  /** @param capacity At most 100,000, so that an address rests before it is given out again. */
  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  /** The address of `name`, in dotted form; the same for as long as the name is in use. */
  addressOf(name: string): string {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      if (this.#addresses.size >= this.#capacity) this.#dropOldest();
      address = this.#freeAddress();
      this.#names.set(address, name);
    } else {
      this.#addresses.delete(name);
    }
    this.#addresses.set(name, address); // now the youngest
    return address;
  }

  /** The name that was given `address`, or `undefined` for an address that was written out. */
  nameOf(address: string): string | undefined {
    return this.#names.get(address);
  }

  #dropOldest(): void {
    for (const [name, address] of this.#addresses) {
      this.#addresses.delete(name);
      this.#names.delete(address);
      return;
    }
  }

  #freeAddress(): string {
    for (;;) {
      // The first and the last look like a network's own addresses to some programs.
      this.#next = this.#next % (SIZE - 2) + 1;
      const value = FIRST + this.#next;
      const address = [24, 16, 8, 0].map((shift) => value >>> shift & 0xff).join(".");
      if (!this.#names.has(address)) return address;
    }
  }
}
