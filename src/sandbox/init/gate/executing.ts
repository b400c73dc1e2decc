import { Alarm } from "./alarm.ts";
import { end, interrupt, nextStopped, seize, type Stopped } from "./exec_stop.ts";
import { Processor } from "./processor.ts";

/**
 * How long everything else waits while a program is being executed, which takes a tenth of a
 * millisecond. It may take longer where a disk does, or where a process has made it so.
 */
const EXECUTING_MS = 20;
/** How often it is looked whether a program has been executed at last: soon, and later less. */
const LOOK_NS = 30_000;
const LOOK_LATER_NS = 1_000_000;
const SOON_LOOKS = 100;

/** Who was told to go on, until it is known what has come of it. */
export class Executing<Expected> {
  readonly #expected = new Map<number, Expected | undefined>();
  readonly #stopped: (stopped: Stopped, expected: Expected | undefined) => void;
  readonly #alarm = Alarm.every(EXECUTING_MS);
  readonly #processor = Processor.ofThread();
  #looks = 0;

  /** `stopped` hears of each that stopped, to release or to end it; of what ended only by itself not. */
  constructor(stopped: (stopped: Stopped, expected: Expected | undefined) => void) {
    this.#stopped = stopped;
  }

  /** How long to wait for anything else before {@linkcode look}, in nanoseconds; `undefined`: ever. */
  patience(): number | undefined {
    if (this.#expected.size === 0) return undefined;
    return this.#looks++ < SOON_LOOKS ? LOOK_NS : LOOK_LATER_NS;
  }

  /**
   * Has a thread that waits for its answer go on by `allow`, and stop once it has executed what is
   * expected; waits for that, but not long. `false` where it cannot be made to stop.
   */
  letRun(pid: number, expected: Expected | undefined, allow: () => void): boolean {
    // Seizing waits as well, for another thread of the process that is executing something.
    this.#alarm?.set();
    try {
      if (!seize(pid)) return false;
      this.#expected.set(pid, expected);
      this.#looks = 0;
      // Who asked has left its processor to this thread, and goes on there: woken elsewhere, this one
      // would take the place of another job, and leave a processor idle.
      this.#processor?.stay();
      allow();
      interrupt(pid);
      while (this.#alarm !== undefined && this.#expected.has(pid)) {
        const next = nextStopped(true, this.#only());
        if (next === undefined) break;
        this.#take(next);
      }
      return true;
    } finally {
      this.#processor?.leave();
      this.#alarm?.clear();
    }
  }

  /** Takes up whatever has stopped since. */
  look(): void {
    while (this.#expected.size > 0) {
      const next = nextStopped(false, this.#only());
      if (next === undefined) return;
      this.#take(next);
    }
  }

  /** Ends a process that stopped; it is waited for, because its own parent would not hear of it. */
  end(pid: number): void {
    this.#expected.set(pid, undefined);
    end(pid);
  }

  /** Who it must be that has executed, where only one may have. */
  #only(): number | undefined {
    return this.#expected.size === 1 ? this.#expected.keys().next().value : undefined;
  }

  #take(stopped: Stopped): void {
    const { pid, asker, how } = stopped;
    const expected = this.#expected.get(asker);
    this.#expected.delete(asker);
    this.#expected.delete(pid);
    if (how !== "ended") this.#stopped(stopped, expected);
  }
}
