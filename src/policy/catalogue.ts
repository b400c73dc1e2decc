import type { EntityUidJson } from "@cedar-policy/cedar-wasm/web";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { compileBundle, type CompiledPolicy } from "./compile.ts";
import { cedarFault } from "./fault.ts";
import type { Remediation } from "./remediation.ts";

/** One policy, as a list of policies shows it. */
export interface PolicySummary {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  /** The classes in its scope; none for a policy on every class. */
  readonly actionClasses: readonly string[];
  /** Whether it has a `when` or an `unless`. */
  readonly conditional: boolean;
  readonly remediation?: Remediation;
}

/** Lists the policies of a bundle in the order of its files. Needs `initCedar`. */
export function summarisePolicies(bundle: PolicyBundle): Result<PolicySummary[], FirmaError[]> {
  try {
    const { policies, errors } = compileBundle(bundle);
    return errors.length > 0 ? err([...errors]) : ok(policies.map(summarise));
  } catch (cause) {
    return err([cedarFault(cause)]);
  }
}

function summarise({ id, json, remediation }: CompiledPolicy): PolicySummary {
  return {
    id,
    effect: json.effect,
    actionClasses: classesIn(json.action),
    conditional: json.conditions.length > 0,
    ...(remediation && { remediation }),
  };
}

function classesIn(scope: CompiledPolicy["json"]["action"]): string[] {
  if (scope.op === "All") return [];
  if ("entities" in scope) return scope.entities.map(idOf);
  return "entity" in scope ? [idOf(scope.entity)] : [];
}

function idOf(entity: EntityUidJson): string {
  return "__entity" in entity ? entity.__entity.id : entity.id;
}
