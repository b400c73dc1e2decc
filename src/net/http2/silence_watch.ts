import type { Watch, Watchdog } from "../watchdog.ts";

/** What to do about a peer that says nothing. */
export interface SilenceOptions {
  /** How long it may take to answer, in milliseconds. */
  readonly answerMs: number;
  /** Asks it to say something. */
  readonly ask: () => void;
  /** Called when it does not. */
  readonly lost: () => void;
}

/** Finds out whether a peer that says nothing is still there: the network tells nobody. */
export class SilenceWatch {
  readonly #silenceMs: number;
  #asked = false;
  #watch: Watch;

  /** Asks after `silenceMs` milliseconds of silence. */
  constructor(watchdog: Watchdog, silenceMs: number, { answerMs, ask, lost }: SilenceOptions) {
    this.#silenceMs = silenceMs;
    const expire = (): void => {
      if (this.#asked) return lost();
      this.#asked = true;
      this.#watch = watchdog.watch(answerMs, expire);
      ask();
    };
    this.#watch = watchdog.watch(silenceMs, expire);
  }

  /** The peer has said something. */
  heard(): void {
    this.#asked = false;
    this.#watch.touch(this.#silenceMs);
  }

  /** Ends the watch. */
  clear(): void {
    this.#watch.clear();
  }
}
