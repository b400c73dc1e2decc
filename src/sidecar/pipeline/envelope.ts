import type { ExecutionEnvelope, HttpCall } from "../../core/envelope.ts";
import { type SessionState, unacceptedLosses } from "../../core/session_state.ts";
import { movesMoney, transferFigures, transfersOf } from "../../core/transfers.ts";
import { formatAuthority } from "../../mapping/authority.ts";
import { type Draft, found } from "./draft.ts";

/** What says where a call goes, where a policy cannot go by it. */
export const HIDDEN_PATH: readonly string[] = ["resource.id", "resource.path"];

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
  const { hidden, operations } = withoutParameters(call.path, draft);
  // Members in canonical order (RFC 8785): the audit log then has nothing to sort.
  return withHistory({
    capability: { agent_id: claims.agent_id, token_id: claims.token_id },
    ...(draft.credential !== undefined && { credential: draft.credential }),
    intent: {
      action_class: rule.actionClass,
      attributes: draft.attributes ?? {},
      ...(hidden !== undefined && { hidden }),
      ...(operations !== undefined && { operations }),
      raw_action_ref: rule.ref,
      raw_transport: draft.transport,
      resource: {
        host: call.host,
        id: resourceId(call),
        method: call.method,
        path: call.path,
      },
    },
    metadata: {
      action_count: session.state.actionCount + 1,
      deny_count: session.state.denyCount,
      last_resource: session.state.lastResource,
      prior_action_classes: [...new Set(session.state.recentActionClasses)],
      session_id: session.sessionId,
      session_started_ms: session.startedMs,
      timestamp_ms: draft.nowMs,
    },
    provenance: draft.input.peer.provenance,
  }, session.state);
}

/** With what the session has moved, where it has, or the call would; and what it has lost. */
export function withHistory(envelope: ExecutionEnvelope, state: SessionState): ExecutionEnvelope {
  const deleted = unacceptedLosses(state);
  if (deleted === 0) return withTransfers(envelope, state);
  const metadata = { ...envelope.metadata, deleted_files: deleted };
  return withTransfers({ ...envelope, metadata }, state);
}

function withTransfers(
  envelope: ExecutionEnvelope,
  { transfers: before }: SessionState,
): ExecutionEnvelope {
  const { intent, metadata } = envelope;
  const classes = intent.operations ?? [intent];
  const moves = classes.some(({ action_class }) => movesMoney(action_class));
  if (before === undefined && !moves) return envelope;
  const moving = moves ? transfersOf(envelope) : [];
  const transfers = transferFigures(before, moving, metadata.timestamp_ms);
  return { ...envelope, metadata: { ...metadata, transfers } };
}

/**
 * A server may drop what stands behind a `;` in a path, and see another path than policies do: where
 * one of them looks at it, the call is denied.
 */
function withoutParameters(
  path: string,
  { hidden, operations }: Draft,
): Pick<Draft, "hidden" | "operations"> {
  if (!/;|%3B/.test(path)) return { ...(hidden && { hidden }), ...(operations && { operations }) };
  const besides = (known: readonly string[] = []) => [...new Set([...known, ...HIDDEN_PATH])];
  return {
    hidden: besides(hidden),
    ...(operations && {
      operations: operations.map((each) => ({ ...each, hidden: besides(each.hidden) })),
    }),
  };
}
