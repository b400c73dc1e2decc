import { FirmaException } from "../../../core/result.ts";

interface Waiting<Entry, Answer> {
  readonly entry: Entry;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (cause: unknown) => void;
}

/** Entries of one batch at most; a statement should not take long. */
const LARGEST = 256;

/**
 * Does together what several ask for at once. Whoever comes first waits for
 * nobody; those who come while a batch is under way go together in the next one.
 * So each costs the less the more there are, and is done when its answer is there.
 */
export class Batches<Entry, Answer> {
  readonly #work: (entries: readonly Entry[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Entry, Answer>[] = [];
  #isRunning = false;

  /** `work` does all of its entries or none, and answers each in their order. */
  constructor(work: (entries: readonly Entry[]) => Promise<readonly Answer[]>) {
    this.#work = work;
  }

  /** Rejects with what `work` throws. */
  add(entry: Entry): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ entry, resolve, reject });
    if (!this.#isRunning) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) await this.#do(this.#waiting.splice(0, LARGEST));
    this.#isRunning = false;
  }

  async #do(batch: readonly Waiting<Entry, Answer>[]): Promise<void> {
    try {
      const answers = await this.#work(batch.map(({ entry }) => entry));
      if (answers.length !== batch.length) throw new Error("Not every entry was answered");
      batch.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (cause) {
      // One that is refused for what it is must not take the others with it.
      if (batch.length > 1 && isRefusal(cause)) {
        for (const each of batch) await this.#do([each]);
      } else batch.forEach(({ reject }) => reject(cause));
    }
  }
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof FirmaException && cause.error.code === "STORE_REFUSED";
}
