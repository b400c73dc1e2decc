import type { CompiledPolicy } from "./compile.ts";
import { denyReason, type PolicyDecision } from "./outcome.ts";

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
  const determining = forbids.length > 0 ? forbids : policies;
  const policyIds = determining.map(({ id }) => id).sort();
  return forbids.length > 0
    ? { decision: "deny", reason: denyReason(forbids), policyIds, errors: [] }
    : { decision: "allow", reason: "", policyIds, errors: [] };
}

function appliesAlways({ json }: CompiledPolicy): boolean {
  const { principal, resource, conditions } = json;
  return principal.op === "All" && resource.op === "All" && conditions.length === 0;
}
