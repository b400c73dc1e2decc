/** Something that is made when it is first wanted, once. */
export class Late<T> {
  readonly #make: () => Promise<T>;
  #making: Promise<T> | undefined;
  #value: T | undefined;

  constructor(make: () => Promise<T>) {
    this.#make = make;
  }

  /** What was made, if it has been by now. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Makes it unless that was done. Rejects when it cannot be made; the next call tries again. */
  get(): Promise<T> {
    return this.#making ??= this.#make().then((made) => this.#value = made, (cause) => {
      this.#making = undefined;
      throw cause;
    });
  }
}
