/** What stands in the place of a rule for executions of stubs, which do nothing themselves. */
export const STUB_REF = "stub of a secret store";
