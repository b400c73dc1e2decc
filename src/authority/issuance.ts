import { type ActionClass, actionClasses, parseActionClass } from "../core/action_class.ts";
import type { IssueCapabilityRequest } from "../core/authority.ts";
import type { ExecutionEnvelope } from "../core/envelope.ts";
import { isId } from "../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { ANY_ACTION } from "../core/capability.ts";
import { sha256 } from "../core/sha256.ts";
import { isScope } from "../mapping/scope.ts";
import type { PolicyEngine } from "../policy/engine.ts";

/** What every store can keep: no control characters, nor longer than any name has to be. */
const SESSION = /^[^\p{Cc}]{1,255}$/u;

/** Tells whether a session may be called so. */
export function isSessionName(text: string): boolean {
  return SESSION.test(text);
}

/** A request that makes sense, with `*` spelt out. */
export interface IssuanceDemand {
  readonly agentId: string;
  readonly sessionId: string;
  readonly actions: readonly ActionClass[];
  readonly resourceScope: readonly string[];
  /** Zero or less asks for the longest that is granted. */
  readonly ttlSeconds: number;
}

/** Checks a request; a request that is wrong anywhere fails whole. */
export function parseIssuance(request: IssueCapabilityRequest): Result<IssuanceDemand> {
  const { agentId, sessionId, requestedActions, requestedTtlSeconds } = request;
  // Other clients of this protocol write everything as one star, which is no pattern of ours.
  const resourceScope = request.resourceScope.map((pattern) => pattern === "*" ? "**" : pattern);
  if (!isId("agt", agentId)) return refusal("INVALID_REQUEST", `agent "${agentId}" is no agent id`);
  if (sessionId === "") return refusal("INVALID_REQUEST", "the session is empty");
  if (!SESSION.test(sessionId)) {
    return refusal("INVALID_REQUEST", "the session is no name of at most 255 characters");
  }
  if (requestedActions.length === 0) return refusal("NO_ACTIONS", "no action was asked for");
  if (resourceScope.length === 0) return refusal("INVALID_REQUEST", "the resource scope is empty");
  for (const pattern of resourceScope) {
    if (!isScope(pattern)) return refusal("INVALID_REQUEST", `scope "${pattern}" is no pattern`);
  }
  if (!Number.isFinite(requestedTtlSeconds)) {
    return refusal(
      "INVALID_REQUEST",
      `time to live ${requestedTtlSeconds} is no number of seconds`,
    );
  }
  const actions = new Set<ActionClass>();
  for (const name of requestedActions) {
    const action = parseActionClass(name);
    if (action !== undefined) actions.add(action);
    else if (name === ANY_ACTION) {
      for (const { name } of actionClasses()) actions.add(name as ActionClass);
    } else return refusal("INVALID_REQUEST", `action "${name}" is not registered`);
  }
  const ttlSeconds = requestedTtlSeconds;
  return ok({ agentId, sessionId, actions: [...actions].sort(), resourceScope, ttlSeconds });
}

/**
 * The actions of a request that the issuance policies permit on every pattern of
 * its scope. To these policies a pattern is a resource: they see its text.
 */
export function permittedActions(
  engine: PolicyEngine,
  demand: IssuanceDemand,
  nowMs: number,
): Result<ActionClass[]> {
  const errors: string[] = [];
  const granted = demand.actions.filter((action) =>
    demand.resourceScope.every((pattern) => {
      const decision = engine.decide(issuanceEnvelope(demand, action, pattern, nowMs));
      errors.push(...decision.errors);
      return decision.decision === "allow";
    })
  );
  if (granted.length > 0) return ok(granted);
  if (errors.length > 0) return refusal("CONTEXT_BUILD_FAILED", errors[0]!);
  return refusal("NO_AUTHORIZED_ACTIONS", "the issuance policies permit none of the actions");
}

/** Names what a token was issued for, so that an auditor can tell two grants apart. */
export function contextHash(
  { agentId, sessionId, resourceScope }: IssuanceDemand,
  actions: readonly string[],
  bundleVersion: string,
): string {
  const parts = [agentId, sessionId, actions.toSorted(), resourceScope, bundleVersion];
  return sha256(JSON.stringify(parts));
}

function issuanceEnvelope(
  { agentId, sessionId }: IssuanceDemand,
  action: ActionClass,
  pattern: string,
  nowMs: number,
): ExecutionEnvelope {
  const slash = pattern.indexOf("/");
  const host = slash < 0 ? pattern : pattern.slice(0, slash);
  const path = slash < 0 ? "/**" : pattern.slice(slash);
  return {
    intent: {
      action_class: action,
      resource: { id: pattern, host, path, method: "" },
      raw_transport: "https",
      raw_action_ref: "issuance",
      attributes: {},
    },
    capability: { token_id: "", agent_id: agentId },
    metadata: {
      session_id: sessionId,
      timestamp_ms: nowMs,
      session_started_ms: nowMs,
      action_count: 0,
      deny_count: 0,
      prior_action_classes: [],
      last_resource: "",
    },
    provenance: { via: "proxy" },
  };
}

/** Says why no token is issued. */
export function refusal(code: string, state: string): Result<never, FirmaError> {
  return err({ code, message: `Cannot issue a capability token: ${state}` });
}
