/** Nobody waits longer for another renewal to end. */
const LONGEST_WAIT_MS = 30_000;

interface Turn {
  readonly id: string;
  readonly begin: () => void;
}

/**
 * Renewals of one sign-in, one after the other: a service that takes a refresh token back when it is
 * used would refuse the second of two, and may end the sign-in for it.
 */
export class Turns {
  readonly #waiting = new Map<string, Turn[]>();
  readonly #labels = new Map<string, string>();

  /** Waits until everybody who came before has left. `id` is unique, and has to {@linkcode leave}. */
  async take(label: string, id: string): Promise<void> {
    const turns = this.#waiting.get(label) ?? [];
    this.#waiting.set(label, turns);
    this.#labels.set(id, label);
    const { promise, resolve } = Promise.withResolvers<void>();
    turns.push({ id, begin: resolve });
    if (turns.length === 1) return;
    const timer = setTimeout(resolve, LONGEST_WAIT_MS);
    await promise;
    clearTimeout(timer);
  }

  /** The call has ended, whether it had its turn or not, or never wanted one. */
  leave(id: string): void {
    const label = this.#labels.get(id);
    if (label === undefined) return;
    this.#labels.delete(id);
    const turns = this.#waiting.get(label)!;
    const at = turns.findIndex((turn) => turn.id === id);
    const [left] = turns.splice(at, 1);
    left!.begin();
    if (turns.length === 0) this.#waiting.delete(label);
    else if (at === 0) turns[0]!.begin();
  }
}
