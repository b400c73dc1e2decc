import { MaskFailure } from "../../secrets/mask_match.ts";
import { UpstreamFailure } from "../transport/upstream.ts";

/** Why an answer cannot be shown: what could not be searched may hold a secret. */
export function unseen(why: string, cause?: unknown): UpstreamFailure {
  return new UpstreamFailure(`response: ${why}`, { cause });
}

/** Runs a step of masking; what it cannot search breaks the call off. */
export function searched<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof MaskFailure) throw unseen(error.message, error);
    throw error;
  }
}
