import type { AbortReason, Decision, DenyReason } from "../../core/decision.ts";

/** Each reason in a sentence for the operator. */
const DENIALS: Readonly<Record<DenyReason, string>> = {
  TokenInvalid: "The session holds no capability token that is valid.",
  TokenExpired: "The capability token of the session has expired and was not renewed.",
  TokenRevoked: "The capability token of the session was revoked.",
  PolicyDenied: "The policies in force deny this call.",
  ScopeViolation: "The capability token does not cover this resource.",
  ToolNotInScope: "The capability token does not cover this action class.",
  MalformedRequest: "The request can be read in more than one way, so nobody can decide it.",
  AuthorityUnavailable: "The Authority could not be reached when a token was needed.",
  PolicyBundleStale: "The Authority has not vouched for the policies lately enough.",
  PolicyBundleNotReady: "The Sidecar has no policies to decide by.",
  RevocationCacheNotReady: "The Sidecar does not know yet which tokens are revoked.",
  FailClosed: "The call could not be decided and recorded safely.",
  EnforcementTimeout: "The decision took too long.",
  UnclassifiedIntent: "No mapping rule says what this call does.",
  TenantMismatch: "The capability token belongs to another agent.",
  LoopbackBlocked: "The address is on this machine or in a private network.",
  PlaceholderRefused: "The call holds a placeholder of a credential where it does not belong.",
  SecretStoreBlocked: "It is about a secret store, and nothing says that this may be asked of it.",
  StepUpRequired: "A policy asks for an approval by a person first.",
  Deferred: "A policy puts the call off.",
};

const ABORTS: Readonly<Record<AbortReason, string>> = {
  CONNECTOR_TIMEOUT: "The call was allowed; the server did not answer in time.",
  CONNECTOR_FAILURE: "The call was allowed; the connection to the server failed.",
  CONNECTOR_INVALID_REQUEST: "The call was allowed; it could not be sent in this form.",
  CREDENTIAL_INJECTION_FAILED: "The call was allowed; its credential could not be had.",
  CREDENTIAL_CAPTURE_FAILED: "The call was allowed; the tokens in its answer could not be kept.",
};

const DECISIONS: Readonly<Record<Decision, string>> = {
  ALLOW: "The policies in force permit this call.",
  DENY: "The call was denied.",
  MODIFY: "The call was allowed after a policy changed it.",
  STEP_UP: DENIALS.StepUpRequired,
  DEFER: DENIALS.Deferred,
  ABORT: "The call was allowed and could not be completed.",
  PASSTHROUGH: "No mapping rule names this host, and such hosts may pass through.",
};

/**
 * Why a call was decided so, in a sentence; `policies` of them had the say. A
 * reason of a later version is shown as it is.
 */
export function whyDecided(decision: string, reason: string, policies: number): string {
  if (reason === "PolicyDenied") {
    if (policies === 0) return "No policy permits this call.";
    return policies === 1 ? "A policy forbids this call." : "Policies forbid this call.";
  }
  const known: Readonly<Record<string, string>> = { ...DENIALS, ...ABORTS };
  if (reason !== "" && Object.hasOwn(known, reason)) return known[reason]!;
  if (reason !== "") return `The call was decided so for the reason "${reason}".`;
  return Object.hasOwn(DECISIONS, decision)
    ? DECISIONS[decision as Decision]
    : `The decision is "${decision}".`;
}
