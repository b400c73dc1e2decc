import {
  type ActionClass,
  actionClassEntry,
  actionClassLineage,
  type Risk,
} from "../../core/action_class.ts";
import type { Decoded, Operation } from "./decoder.ts";

const RISKS: readonly Risk[] = ["low", "medium", "high", "critical"];

/** Of equal risk, but what they do cannot be taken back. */
const IRREVERSIBLE = /\.(?:delete|destructive|payout|transfer)$/;

function strictness(name: ActionClass): number {
  const entry = actionClassEntry(name);
  if (entry === undefined) return RISKS.length * 2;
  return RISKS.indexOf(entry.risk) * 2 + (IRREVERSIBLE.test(name) ? 1 : 0);
}

/** The strictest of what a call does: it stands for the call where one class must. */
export function strictest(operations: Decoded["operations"]): Operation {
  return operations.reduce((best, operation) =>
    strictness(operation.actionClass) > strictness(best.actionClass) ? operation : best
  );
}

/**
 * `decoded` where it is finer than `base` or at least as risky, else `base`: what an
 * agent writes into a body must not make a call look more harmless than its rule says.
 */
export function raised(base: ActionClass, decoded: ActionClass): ActionClass {
  if (actionClassLineage(decoded).includes(base)) return decoded;
  const risk = (name: ActionClass) => RISKS.indexOf(actionClassEntry(name)?.risk ?? "critical");
  return risk(decoded) >= risk(base) ? decoded : base;
}
