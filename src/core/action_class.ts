import { ACCESS_CLASSES } from "./action_classes/access.ts";
import { CODE_CLASSES } from "./action_classes/code.ts";
import { COMMUNICATION_CLASSES } from "./action_classes/communication.ts";
import type { ActionClassEntry } from "./action_classes/entry.ts";
import { LOCAL_CLASSES } from "./action_classes/local.ts";
import { PAYMENT_CLASSES } from "./action_classes/payment.ts";

export type { ActionClassEntry, Domain, Risk } from "./action_classes/entry.ts";

/** The classes that ship with firma, by name. A finer class has exactly one parent. */
export const ACTION_CLASSES: readonly ActionClassEntry[] = [
  ...ACCESS_CLASSES,
  ...CODE_CLASSES,
  ...COMMUNICATION_CLASSES,
  ...LOCAL_CLASSES,
  ...PAYMENT_CLASSES,
].sort((a, b) => a.name < b.name ? -1 : 1);

let registry = ACTION_CLASSES;
let byName = index(registry);

function index(entries: readonly ActionClassEntry[]): ReadonlyMap<string, ActionClassEntry> {
  return new Map(entries.map((entry) => [entry.name, entry]));
}

/**
 * Adds the classes that an operator defined, in the place of those added before. State of
 * the thread: to be called once, from the configuration in force, before anything is
 * parsed that names classes.
 */
export function setOperatorClasses(entries: readonly ActionClassEntry[]): void {
  registry = [...ACTION_CLASSES, ...entries].sort((a, b) => a.name < b.name ? -1 : 1);
  byName = index(registry);
}

/** The action-class registry, by name: what ships with firma, and what the operator added. */
export function actionClasses(): readonly ActionClassEntry[] {
  return registry;
}

/** The name of a registered action class, such as `code.read`. */
export type ActionClass = string & { readonly __brand: "ActionClass" };

/** Looks a class up by name. */
export function actionClassEntry(name: string): ActionClassEntry | undefined {
  return byName.get(name);
}

/** Returns `name` as an {@linkcode ActionClass} when it is registered. */
export function parseActionClass(name: string): ActionClass | undefined {
  return byName.has(name) ? name as ActionClass : undefined;
}

/** A class and its parents, finest first: the classes whose policies cover it. */
export function actionClassLineage(name: ActionClass): ActionClass[] {
  const lineage: ActionClass[] = [];
  for (let at = byName.get(name); at; at = at.parent ? byName.get(at.parent) : undefined) {
    lineage.push(at.name as ActionClass);
  }
  return lineage;
}
