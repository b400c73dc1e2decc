import type { PolicyJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { NAMESPACE } from "./schema.ts";
import { actionAncestors } from "./slice.ts";

/**
 * A schema with few actions under which `policies` are valid exactly when they are
 * under `schema`. Cedar checks a policy for each action that it can apply to, and
 * reads the whole schema each time; most actions are alike to most policies.
 *
 * Two actions are alike when they apply to the same things and the policies name
 * neither, and the same of their groups: then no expression tells them apart. One of
 * each kind stays, with its groups. The errors of a policy that is not valid must come
 * from the whole schema, which knows what names were meant.
 */
export function representativeSchema(
  schema: SchemaJson<string>,
  policies: readonly PolicyJson[],
): SchemaJson<string> {
  const fragment = schema[NAMESPACE];
  if (fragment === undefined || Object.keys(schema).length > 1) return schema;
  const { actions } = fragment;
  // In JSON a name stands as it is, however the policy spells it; too many found is no harm.
  const text = JSON.stringify(policies);
  const named = (name: string) => text.includes(JSON.stringify(name));
  const kept = new Set<string>();
  const kinds = new Set<string>();
  for (const [name, ancestors] of actionAncestors(schema)) {
    const groups = [...ancestors].filter(named).sort();
    const { appliesTo, attributes } = actions[name]!;
    const kind = JSON.stringify(named(name) ? name : [groups, appliesTo, attributes]);
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    for (const each of [name, ...ancestors]) kept.add(each);
  }
  const few = Object.entries(actions).filter(([name]) => kept.has(name));
  return { [NAMESPACE]: { ...fragment, actions: Object.fromEntries(few) } };
}
