import type { PolicyBundle } from "../core/policy_bundle.ts";

const checked = new WeakSet<PolicyBundle>();

/** Whether this very bundle was found valid, here or by whoever handed it over. */
export function isChecked(bundle: PolicyBundle): boolean {
  return checked.has(bundle);
}

/**
 * Says that a bundle was found valid, so that it is not validated again.
 *
 * Parsing and the search for inputs that nobody supplies happen all the same.
 * What a bundle escapes that was marked wrongly is Cedar's type check: a policy
 * that would not pass it fails when it is evaluated, which denies, or never
 * applies, as a policy does that names an action that does not exist.
 */
export function markChecked(bundle: PolicyBundle): void {
  checked.add(bundle);
}
