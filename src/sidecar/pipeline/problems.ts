import type { AbortReason, DenyReason } from "../../core/decision.ts";
import type { AbortProblem, DenyProblem } from "../../core/problem.ts";
import type { Denial } from "./draft.ts";

/** What a problem document speaks about. */
export interface Refused {
  readonly eventId: string;
  readonly actionClass: string;
  /** What the agent asked for, without its query; cut when it is long. */
  readonly resource: string;
  readonly method: string;
}

/** Why, and what would help: both as the end of a sentence. */
interface Explanation {
  readonly title: string;
  readonly why: string;
  readonly help: string;
}

const ASK = "ask the operator";

const DENIALS: Readonly<Record<DenyReason, Explanation>> = {
  TokenInvalid: {
    title: "No valid capability",
    why: "this session holds no capability that is valid for it",
    help: `${ASK} to start a new session`,
  },
  TokenExpired: {
    title: "Capability expired",
    why: "the capability of this session has expired",
    help: `try again in a minute, then ${ASK} to start a new session`,
  },
  TokenRevoked: {
    title: "Capability revoked",
    why: "the operator has revoked the capability of this session",
    help: "only the operator can grant a new one",
  },
  PolicyDenied: {
    title: "Denied by policy",
    why: "the operator's policy does not permit it",
    help: `do without it, or ${ASK} to permit this action`,
  },
  ScopeViolation: {
    title: "Outside the capability",
    why: "the capability of this session does not cover this resource",
    help: `${ASK} for a capability that does`,
  },
  ToolNotInScope: {
    title: "Outside the capability",
    why: "the capability of this session does not cover this action",
    help: `${ASK} for a capability that does`,
  },
  MalformedRequest: {
    title: "Malformed request",
    why: "the request is malformed or ambiguous, so what it would do cannot be decided",
    help: "send it in its plain form",
  },
  AuthorityUnavailable: {
    title: "Authority unavailable",
    why: "the Authority that grants capabilities cannot be reached",
    help: "try again in a minute",
  },
  PolicyBundleStale: {
    title: "Policy out of date",
    why: "the Authority has not confirmed the policy lately",
    help: "try again in a minute",
  },
  PolicyBundleNotReady: {
    title: "No policy in force",
    why: "there is no policy to decide by",
    help: `${ASK} to restore the policy`,
  },
  RevocationCacheNotReady: {
    title: "Revocations unknown",
    why: "the list of revoked capabilities is not known yet",
    help: "try again in a few seconds",
  },
  FailClosed: {
    title: "Could not be decided safely",
    why: "it could not be decided and recorded safely",
    help: `try again in a minute, then ${ASK} to look at the notices of firma`,
  },
  EnforcementTimeout: {
    title: "Decision took too long",
    why: "the decision took too long",
    help: "try again",
  },
  UnclassifiedIntent: {
    title: "Not a known action",
    why: "no mapping rule says what kind of action it is",
    help: `do without it, or ${ASK} to map this host`,
  },
  TenantMismatch: {
    title: "Another agent's capability",
    why: "the capability belongs to another agent",
    help: `${ASK} to start a new session`,
  },
  LoopbackBlocked: {
    title: "Local network blocked",
    why: "the address is on this machine or on a private network",
    help: `do without it, or ${ASK} to configure a connector for this host`,
  },
  PlaceholderRefused: {
    title: "Placeholder out of place",
    why: "it holds a placeholder of a credential, which is for another host, for another place " +
      "in the request, or for another session",
    help: "send the placeholder only where its credential belongs, as the program that it was " +
      "given to does",
  },
  SecretStoreBlocked: {
    title: "Call to a secret store blocked",
    why: "the host is a store of secrets, and its configuration lets no call like this one pass",
    help: `read the secret with a call that gives out values by name, or ${ASK} to add a matcher`,
  },
  StepUpRequired: {
    title: "Approval required",
    why: "the operator must approve it first",
    help: `${ASK} to approve it`,
  },
  Deferred: {
    title: "Deferred",
    why: "the operator's policy puts it off",
    help: "try again later",
  },
};

const ABORTS: Readonly<Record<AbortReason, Explanation & { readonly status: number }>> = {
  CONNECTOR_TIMEOUT: {
    status: 504,
    title: "The server took too long",
    why: "the server did not answer in time",
    help: "try again",
  },
  CONNECTOR_FAILURE: {
    status: 502,
    title: "The server could not be reached",
    why: "the connection to the server failed",
    help: "check the address and try again",
  },
  CONNECTOR_INVALID_REQUEST: {
    status: 502,
    title: "The request could not be sent",
    why: "the request could not be sent in this form",
    help: "send it in its plain form",
  },
  CREDENTIAL_INJECTION_FAILED: {
    status: 502,
    title: "No credential",
    why: "the credential for this host could not be had",
    help: `${ASK} to check the credential`,
  },
  CREDENTIAL_CAPTURE_FAILED: {
    status: 502,
    title: "No sign-in",
    why: "what the server answered to the sign-in could not be kept safe",
    help: `${ASK} to sign in outside of the sandbox`,
  },
};

const LONGEST_RESOURCE = 200;

/** What the agent is told about a denial. Names no policy: an agent would probe. */
export function denyProblem(
  reason: DenyReason,
  refused: Refused,
  { retryAfterMs, approval }: Pick<Denial, "retryAfterMs" | "approval"> = {},
): DenyProblem {
  const { title, why, help } = approval === undefined
    ? DENIALS[reason]
    : explainApproval(DENIALS[reason], approval);
  return {
    type: `urn:firma:deny:${reason}`,
    title,
    status: 403,
    detail: `firma refused ${named(refused)} because ${why}; ` +
      `this is a decision of policy and not a fault of the network, so ${help}.`,
    denied: true,
    reason,
    action_class: refused.actionClass,
    event_id: refused.eventId,
    ...(approval !== undefined && approvalMembers(approval)),
    ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
  };
}

type Approval = NonNullable<Denial["approval"]>;

function explainApproval(usual: Explanation, { id, state }: Approval): Explanation {
  if (state === "denied") {
    return {
      title: "Approval refused",
      why: "a person was asked to approve it and said no",
      help: `do without it, or ${ASK} why`,
    };
  }
  return {
    ...usual,
    help: `${ASK} to approve it (${
      approveCommand(id)
    }) and then send exactly the same request again`,
  };
}

function approvalMembers({ id, state, untilMs }: Approval): Partial<DenyProblem> {
  if (state === "denied") return { approval_id: id };
  return {
    approval_id: id,
    ...(untilMs !== undefined && { approval_expires_at: new Date(untilMs).toISOString() }),
    how_to_approve: approveCommand(id),
  };
}

function approveCommand(id: string): string {
  return `firma token approve ${id}`;
}

/** What the agent is told about an allowed call that could not be completed. */
export function abortProblem(
  reason: AbortReason,
  aborted: { readonly eventId: string; readonly actionClass: string },
): AbortProblem {
  const { status, title, why, help } = ABORTS[reason];
  return {
    type: `urn:firma:abort:${reason}`,
    title,
    status,
    detail: `firma allowed this call but could not complete it because ${why}; ${help}.`,
    aborted: true,
    reason,
    action_class: aborted.actionClass,
    event_id: aborted.eventId,
  };
}

function named({ method, resource }: Refused): string {
  const cut = resource.length > LONGEST_RESOURCE
    ? `${resource.slice(0, LONGEST_RESOURCE)}…`
    : resource;
  return [method, cut].filter((part) => part !== "").join(" ") || "this connection";
}
