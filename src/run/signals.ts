import { ignoredSignals } from "../sandbox/ignored_signals.ts";

/** Numbers of the signals that end a run, for the exit status `128 + n`. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/** How the shell calls them. */
const NAMES = { SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGTERM: "TERM" } as const;

type EndingSignal = keyof typeof NUMBERS;

/** Thrown where a signal ends a run before there is an agent. */
export class Interrupted extends Error {
  readonly exitCode: number;
  constructor(signal: EndingSignal) {
    super(`Interrupted by ${signal}`);
    this.name = "Interrupted";
    this.exitCode = 128 + NUMBERS[signal];
  }
}

/**
 * Takes the signals of this process. Until {@linkcode RunSignals.attach} each
 * of them ends the run. From then on SIGINT and SIGQUIT are the agent's, who
 * gets them from the terminal as well; SIGTERM and SIGHUP still end the run.
 */
export class RunSignals implements Disposable {
  #attached = false;
  readonly #controller = new AbortController();
  readonly #handlers: readonly (readonly [EndingSignal, () => void])[];

  constructor() {
    // A listener undoes what `nohup` did, so that it has to ignore the signal itself.
    const ignored = ignoredSignals();
    this.#handlers = (Object.keys(NUMBERS) as EndingSignal[]).map((name) => {
      const handler = () => {
        if (ignored.has(NAMES[name])) return;
        const forAgent = name === "SIGINT" || name === "SIGQUIT";
        if (!(this.#attached && forAgent)) this.#controller.abort(new Interrupted(name));
      };
      Deno.addSignalListener(name, handler);
      return [name, handler];
    });
  }

  /** From now on the terminal belongs to the agent. */
  attach(): void {
    this.#attached = true;
  }

  /** Aborts when a signal ends the run. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the run is to end, once it is. */
  get interrupted(): Interrupted | undefined {
    const { signal } = this.#controller;
    return signal.aborted ? signal.reason as Interrupted : undefined;
  }

  /** Calls `end` once when a signal ends the run, at once when one has already. */
  onEnd(end: () => void): void {
    const { signal } = this.#controller;
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  }

  /**
   * Waits for `promise`, or until a signal ends the run.
   *
   * @throws {Interrupted}
   */
  async unlessInterrupted<T>(promise: Promise<T>): Promise<T> {
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(this.#controller.signal.reason);
    if (this.#controller.signal.aborted) abort();
    this.#controller.signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([promise, interrupted]);
    } finally {
      this.#controller.signal.removeEventListener("abort", abort);
    }
  }

  [Symbol.dispose](): void {
    for (const [name, handler] of this.#handlers) Deno.removeSignalListener(name, handler);
  }
}
