import { ACCESS_CLASSES } from "./action_classes/access.ts";
import { CODE_CLASSES } from "./action_classes/code.ts";
import { COMMUNICATION_CLASSES } from "./action_classes/communication.ts";
import type { ActionClassEntry } from "./action_classes/entry.ts";
import { LOCAL_CLASSES } from "./action_classes/local.ts";
import { PAYMENT_CLASSES } from "./action_classes/payment.ts";

export type { ActionClassEntry, Domain, Risk } from "./action_classes/entry.ts";

/** The action-class registry, by name. A finer class has exactly one parent. */
export const ACTION_CLASSES: readonly ActionClassEntry[] = [
  ...ACCESS_CLASSES,
  ...CODE_CLASSES,
  ...COMMUNICATION_CLASSES,
  ...LOCAL_CLASSES,
  ...PAYMENT_CLASSES,
].sort((a, b) => a.name < b.name ? -1 : 1);

const BY_NAME: ReadonlyMap<string, ActionClassEntry> = new Map(
  ACTION_CLASSES.map((entry) => [entry.name, entry]),
);

/** The name of a registered action class, such as `code.read`. */
export type ActionClass = string & { readonly __brand: "ActionClass" };

/** Looks a class up by name. */
export function actionClassEntry(name: string): ActionClassEntry | undefined {
  return BY_NAME.get(name);
}

/** Returns `name` as an {@linkcode ActionClass} when it is registered. */
export function parseActionClass(name: string): ActionClass | undefined {
  return BY_NAME.has(name) ? name as ActionClass : undefined;
}

/** A class and its parents, finest first: the classes whose policies cover it. */
export function actionClassLineage(name: ActionClass): ActionClass[] {
  const lineage: ActionClass[] = [];
  for (let at = BY_NAME.get(name); at; at = at.parent ? BY_NAME.get(at.parent) : undefined) {
    lineage.push(at.name as ActionClass);
  }
  return lineage;
}
