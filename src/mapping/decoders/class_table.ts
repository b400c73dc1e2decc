import { type ActionClass, actionClassEntry, parseActionClass } from "../../core/action_class.ts";

/**
 * A finer class where the registry has it as a child of `name`, else `name`.
 *
 * @throws {Error} When `name` is not registered: a table of this program is wrong
 */
export function classOrFiner(name: string, finer?: string): ActionClass {
  if (finer !== undefined && actionClassEntry(finer)?.parent === name) {
    return parseActionClass(finer)!;
  }
  const known = parseActionClass(name);
  if (known === undefined) throw new Error(`Cannot use class "${name}": not in the registry`);
  return known;
}

/** Reads a table of operations: `<class>` or `<class> <finer class>` by name. */
export function readClassTable(
  classes: Readonly<Record<string, string>>,
): ReadonlyMap<string, ActionClass> {
  return new Map(
    Object.entries(classes).map(([operation, text]) => {
      const [name, finer] = text.split(" ");
      return [operation, classOrFiner(name!, finer)];
    }),
  );
}
