/** Stands in an action set for every action class. */
export const ANY_ACTION = "*";

/** The claims of a capability token (PASETO v4.public), verified. Times are RFC 3339. */
export interface CapabilityClaims {
  readonly token_id: string;
  readonly agent_id: string;
  readonly session_id: string;
  readonly action_set: readonly string[];
  /** Host-and-path patterns with the mapping's `*` and `**`; `["**"]` covers everything. */
  readonly resource_scope: readonly string[];
  readonly issued_at: string;
  readonly expiry: string;
  readonly context_hash: string;
  readonly policy_bundle_version: string;
}
