import type { CheckedContents } from "../config/checked_contents.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { checkBundle } from "../policy/check.ts";
import { markChecked, type ParsedPolicies, parsedPolicies } from "../policy/checked.ts";

/** What checking a bundle once and for all needs. */
export interface KnownBundles {
  /** What needs no check, because an earlier run has checked it. */
  readonly known?: CheckedContents | undefined;
  /** Hears of policies that are valid and yet look like a mistake. */
  readonly onWarning: (warning: FirmaError) => void;
}

/** Checks a bundle, unless that was done before, and marks it as checked. Needs `initCedar`. */
export function checkKnownBundle(
  bundle: PolicyBundle,
  { known, onWarning }: KnownBundles,
): Result<void, FirmaError[]> {
  const content = [bundle.schema, bundle.policies];
  const parsed = known?.get(content);
  if (Array.isArray(parsed)) {
    markChecked(bundle, parsed as ParsedPolicies);
    return ok(undefined);
  }
  const checked = checkBundle(bundle);
  if (!checked.ok) return checked;
  checked.value.warnings.forEach(onWarning);
  if (checked.value.warnings.length === 0) known?.add(content, parsedPolicies(bundle));
  return ok(undefined);
}
