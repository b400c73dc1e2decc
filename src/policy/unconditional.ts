import type { CompiledPolicy } from "./compile.ts";
import { denyBy, type PolicyDecision } from "./outcome.ts";

/**
 * The decision of a slice whose policies look at nothing but the action: each of
 * them applies to every call of its classes, so that Cedar need not be asked.
 * `undefined` where a policy has a condition or names a principal or a resource.
 */
export function unconditionalDecision(
  policies: readonly CompiledPolicy[],
): PolicyDecision | undefined {
  if (policies.length === 0 || !policies.every(appliesAlways)) return undefined;
  const forbids = policies.filter(({ json }) => json.effect === "forbid");
  if (forbids.length > 0) return denyBy(forbids, () => forbids.length < policies.length);
  const policyIds = policies.map(({ id }) => id).sort();
  return { decision: "allow", reason: "", policyIds, errors: [] };
}

function appliesAlways({ json }: CompiledPolicy): boolean {
  const { principal, resource, conditions } = json;
  return principal.op === "All" && resource.op === "All" && conditions.length === 0;
}
