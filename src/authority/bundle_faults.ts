/** Codes of what is wrong with a bundle itself, rather than with the policies in it. */
export const BUNDLE_FAULTS: ReadonlySet<string> = new Set([
  "POLICY_BUNDLE_OLD",
  "POLICY_BUNDLE_INVALID",
]);
