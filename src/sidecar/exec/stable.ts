import { actionClassEntry } from "../../core/action_class.ts";
import { SYSTEM_EXECUTE } from "../../commands/classify.ts";
import { CONTEXT_ATTRIBUTES } from "../../policy/context.ts";
import type { Reads } from "../../policy/reads.ts";
import { STUB_REF } from "../stores/stub_ref.ts";
import type { Classified } from "./envelope.ts";

/** What of the context is the same for each execution of a program in a session. */
const SAME_FOR_PROGRAM: ReadonlySet<string> = new Set([
  "raw_transport",
  "risk_score",
  "session_id",
]);

/** And where all that a gate asks is the same: what is decoded of it, or never is. */
const SAME_FOR_QUESTION: ReadonlySet<string> = new Set([
  ...SAME_FOR_PROGRAM,
  ...CONTEXT_ATTRIBUTES.filter(({ required }) => !required).map(({ name }) => name),
  "credential",
  "credential_brokered",
  "params",
]);

/**
 * For what the answer that allows an execution holds from now on: for its program with whatever
 * arguments, for the same question alone, or for nothing. `reads` is what policies look at.
 */
export function standsFor(
  { ref, operations: [{ action_class: actionClass, attributes }, ...others] }: Classified,
  isGoverned: boolean,
  reads: Reads | undefined,
): "program" | "question" | undefined {
  if (!isGoverned) {
    return ref === "" && isStable(reads, SAME_FOR_PROGRAM) ? "program" : undefined;
  }
  // Files that are counted are others the next time, and a stub asks for what it does by itself.
  const changes = "filesystem_delete_count" in attributes || ref === STUB_REF || others.length > 0;
  // Where records cannot be taken, some of it would run before the gate has heard so.
  const isHarmless = actionClass === SYSTEM_EXECUTE ||
    actionClassEntry(actionClass)?.risk === "low";
  return !changes && isHarmless && isStable(reads, SAME_FOR_QUESTION) ? "question" : undefined;
}

/** Whether policies look at nothing that comes with time, or with what the session did before. */
function isStable(reads: Reads | undefined, same: ReadonlySet<string>): boolean {
  if (reads === undefined || reads.unknown || reads.wholeContext) return false;
  return [...reads.context].every((name) => same.has(name));
}
