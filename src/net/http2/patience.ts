import { ConnectionError, ENHANCE_YOUR_CALM } from "./frame.ts";
import { Ration } from "../ration.ts";

/** Frames that cost this side something and the peer next to nothing, at once and a second. */
const NOISE = [10_000, 1_000] as const;
/** How many of them each frame of a body pays for: a peer that measures the link pings as often. */
const EARNED_BY_DATA = 2;
/** Streams that may end in vain, whoever resets them (CVE-2023-44487, CVE-2025-8671). */
const RESETS = [1_000, 100] as const;

/** What a connection puts up with. Members throw {@linkcode ConnectionError} when that is over. */
export class Patience {
  readonly #noise = new Ration(...NOISE);
  readonly #resets = new Ration(...RESETS);

  /** A frame that moves nothing on. */
  noise(): void {
    if (!this.#noise.spend(1)) {
      throw new ConnectionError(ENHANCE_YOUR_CALM, "too many frames of no use");
    }
  }

  /** A stream that was opened and reset. */
  reset(): void {
    if (!this.#resets.spend(1)) {
      throw new ConnectionError(ENHANCE_YOUR_CALM, "too many streams are reset");
    }
  }

  /** Part of a body went either way. */
  useful(): void {
    this.#noise.earn(EARNED_BY_DATA);
  }
}
