import type { ActionConstraint, EntityUidJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { NAMESPACE } from "./schema.ts";

/** For each action of the schema, the groups it belongs to, however far up. */
export function actionAncestors(schema: SchemaJson<string>): Map<string, Set<string>> {
  const actions = schema[NAMESPACE]?.actions ?? {};
  const ancestors = new Map<string, Set<string>>();
  for (const name of Object.keys(actions)) {
    const found = new Set<string>();
    const pending = [name];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const { id } of actions[next]?.memberOf ?? []) {
        if (!found.has(id)) pending.push(id);
        found.add(id);
      }
    }
    ancestors.set(name, found);
  }
  return ancestors;
}

/** Whether a policy of this scope can apply to an action. */
export function scopeCovers(
  scope: ActionConstraint,
  action: string,
  ancestors: ReadonlySet<string>,
): boolean {
  if (scope.op === "All") return true;
  if (scope.op === "==") return !("entity" in scope) || entityId(scope.entity) === action;
  const groups = "entities" in scope ? scope.entities : [scope.entity];
  return groups.some((group) => entityId(group) === action || ancestors.has(entityId(group)));
}

function entityId(entity: EntityUidJson): string {
  return "__entity" in entity ? entity.__entity.id : entity.id;
}
