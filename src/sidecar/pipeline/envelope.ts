import type { ExecutionEnvelope, HttpCall } from "../../core/envelope.ts";
import { formatAuthority } from "../../mapping/authority.ts";
import { type Draft, found } from "./draft.ts";

/** `<host><path>`, with the port after the host unless it is the default of the scheme. */
export function resourceId(call: HttpCall): string {
  return formatAuthority(call.host, call.port, call.scheme) + call.path;
}

/** What the policy sees of the call, and what the audit event carries. */
export function buildEnvelope(draft: Draft): ExecutionEnvelope {
  const call = found(draft.call, "call");
  const rule = found(draft.rule, "rule");
  const claims = found(draft.claims, "claims");
  const { session } = draft;
  return {
    intent: {
      action_class: rule.actionClass,
      resource: {
        id: resourceId(call),
        host: call.host,
        path: call.path,
        method: call.method,
      },
      raw_transport: draft.transport,
      raw_action_ref: rule.ref,
      attributes: draft.attributes ?? {},
      ...(draft.hidden !== undefined && { hidden: draft.hidden }),
      ...(draft.operations !== undefined && { operations: draft.operations }),
    },
    capability: { token_id: claims.token_id, agent_id: claims.agent_id },
    metadata: {
      session_id: session.sessionId,
      timestamp_ms: draft.nowMs,
      session_started_ms: session.startedMs,
      action_count: session.state.actionCount + 1,
      deny_count: session.state.denyCount,
      prior_action_classes: [...new Set(session.state.recentActionClasses)],
      last_resource: session.state.lastResource,
    },
    provenance: draft.input.peer.provenance,
  };
}
