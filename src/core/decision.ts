/** What the Sidecar does with a call. */
export const DECISIONS = [
  "ALLOW",
  "DENY",
  "MODIFY",
  "STEP_UP",
  "DEFER",
  "ABORT",
  "PASSTHROUGH",
] as const;

/** One of {@linkcode DECISIONS}. */
export type Decision = typeof DECISIONS[number];

/** A decision as it is written on a command line: `step-up`. */
export function decisionWord(decision: Decision): string {
  return decision.toLowerCase().replace("_", "-");
}

/** Why a call was denied. The name is what the agent sees and what the audit event carries. */
export const DENY_REASONS = [
  "TokenInvalid",
  "TokenExpired",
  "TokenRevoked",
  "PolicyDenied",
  "ScopeViolation",
  "ToolNotInScope",
  "MalformedRequest",
  "AuthorityUnavailable",
  "PolicyBundleStale",
  "PolicyBundleNotReady",
  "RevocationCacheNotReady",
  "FailClosed",
  "EnforcementTimeout",
  "UnclassifiedIntent",
  "TenantMismatch",
  "LoopbackBlocked",
  "PlaceholderRefused",
  "SecretStoreBlocked",
  "StepUpRequired",
  "Deferred",
] as const;

/** One of {@linkcode DENY_REASONS}. */
export type DenyReason = typeof DENY_REASONS[number];

/** The decision that a denial for `reason` is: some can be lifted, by a person or by time. */
export function denialDecision(reason: DenyReason): "DENY" | "STEP_UP" | "DEFER" {
  if (reason === "StepUpRequired") return "STEP_UP";
  return reason === "Deferred" ? "DEFER" : "DENY";
}

/** Whether `decision` holds a call back. A decision of a later version does. */
export function holdsBack(decision: string): boolean {
  return decision !== "ALLOW" && decision !== "MODIFY" && decision !== "PASSTHROUGH";
}

/** Why an allowed call could not be completed. */
export const ABORT_REASONS = [
  "CONNECTOR_TIMEOUT",
  "CONNECTOR_FAILURE",
  "CONNECTOR_INVALID_REQUEST",
  "CREDENTIAL_INJECTION_FAILED",
  "CREDENTIAL_CAPTURE_FAILED",
] as const;

/** One of {@linkcode ABORT_REASONS}. */
export type AbortReason = typeof ABORT_REASONS[number];
