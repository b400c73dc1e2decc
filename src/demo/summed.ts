import type { ShownDecision } from "./report.ts";

/**
 * Decisions that differ in nothing but what was to be run, as one: a loop is one deed, and so is a
 * program that a shell tries in more than one way.
 */
export function summed(decisions: readonly ShownDecision[]): ShownDecision[] {
  const groups = new Map<string, ShownDecision[]>();
  for (const decision of decisions) {
    const { decision: verdict, reason, action_class, policies } = decision;
    const kind = JSON.stringify([verdict, reason, action_class, policies.map(({ id }) => id)]);
    const group = groups.get(kind) ?? [];
    if (!group.some(({ what }) => what === decision.what)) group.push(decision);
    groups.set(kind, group);
  }
  return [...groups.values()].map(([first, ...more]) => ({
    ...first!,
    what: more.length === 0 ? first!.what : `${first!.what}, and ${more.length} more`,
  }));
}
