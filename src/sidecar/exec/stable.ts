import type { Reads } from "../../policy/reads.ts";

/** What of the context is the same for each execution of a program in a session. */
const SAME: ReadonlySet<string> = new Set(["raw_transport", "risk_score", "session_id"]);

/**
 * Whether a decision about a program holds for its next execution too: its policies look at nothing
 * that comes with arguments, time or what the session did before.
 */
export function isStable(reads: Reads | undefined): boolean {
  if (reads === undefined) return false;
  if (reads.unknown || reads.wholeContext) return false;
  return [...reads.context].every((name) => SAME.has(name));
}
