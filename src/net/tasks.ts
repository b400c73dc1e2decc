/** What is under way, so that one can wait for its end. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();

  /** Adds something that is under way and never rejects. */
  add(task: Promise<void>): void {
    this.#running.add(task);
    void task.then(() => this.#running.delete(task));
  }

  /** Resolves when nothing is under way, what is added meanwhile included. */
  async done(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
