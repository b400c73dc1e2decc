import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { markChecked } from "./checked.ts";
import { compileBundle } from "./compile.ts";
import { cedarFault } from "./fault.ts";
import { parseAll, planClasses } from "./plan.ts";

/** What a valid bundle holds. */
export interface BundleSummary {
  readonly policies: number;
  /** Policies that are valid and yet say something else than their author meant, most likely. */
  readonly warnings: readonly FirmaError[];
}

/**
 * Checks a bundle as `PolicyEngine.create` does, and marks it as checked. The
 * errors are all there are, each with file, line and column.
 */
export function checkBundle(bundle: PolicyBundle): Result<BundleSummary, FirmaError[]> {
  try {
    const { schema, policies, errors, warnings } = compileBundle(bundle);
    if (errors.length > 0) return err([...errors]);
    const plans = planClasses(bundle.version, schema, policies);
    if (!plans.ok) return plans;
    const faults = parseAll(plans.value);
    if (faults.length > 0) return err(faults);
    markChecked(bundle, policies.map(({ json }) => json));
    return ok({ policies: policies.length, warnings });
  } catch (cause) {
    return err([cedarFault(cause)]);
  }
}
