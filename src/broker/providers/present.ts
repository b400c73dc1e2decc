import type { Result } from "../../core/result.ts";
import type { HandOut } from "../hand_out.ts";

/** A token that a service gave. */
export interface GivenToken {
  readonly token: string;
  /** Milliseconds since the epoch; absent where the service said nothing of it. */
  readonly expiresAtMs?: number | undefined;
}

/** Puts a token into the headers that its credential is configured for. */
export type Present = (given: GivenToken) => Result<HandOut>;
