import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";
import type { PolicyBundle } from "../core/policy_bundle.ts";

/** What Cedar made of each policy of a valid bundle, in the order of files and statements. */
export type ParsedPolicies = readonly PolicyJson[];

const checked = new WeakMap<PolicyBundle, ParsedPolicies>();

/** Whether this very bundle was found valid, here or by whoever handed it over. */
export function isChecked(bundle: PolicyBundle): boolean {
  return checked.has(bundle);
}

/** What is known of a bundle that was found valid, to be handed on with it. */
export function parsedPolicies(bundle: PolicyBundle): ParsedPolicies | undefined {
  return checked.get(bundle);
}

/**
 * Says that a bundle was found valid, so that it is neither parsed nor validated
 * again; the search for inputs that nobody supplies happens all the same. `parsed`
 * is what was made of exactly this bundle.
 *
 * What a bundle escapes that was marked wrongly is Cedar's type check: a policy
 * that would not pass it fails when it is evaluated, which denies, or never
 * applies, as a policy does that names an action that does not exist.
 */
export function markChecked(bundle: PolicyBundle, parsed: ParsedPolicies): void {
  checked.set(bundle, parsed);
}
