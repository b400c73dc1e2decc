import { type ActionClass, actionClassLineage } from "../../core/action_class.ts";
import { type CurrentDemand, currentToken, selectToken } from "../../capability/select.ts";
import type { CapabilityClaims } from "../../core/capability.ts";
import type { DenyReason } from "../../core/decision.ts";
import { type ExecutionEnvelope, operationEnvelopes } from "../../core/envelope.ts";
import { formatAuthority } from "../../mapping/authority.ts";
import { type Draft, found, type Stage } from "./draft.ts";

/**
 * Stage 1: the session holds a token that covers this call now. A call that passes
 * undecided needs a valid one all the same: who was revoked is out.
 */
export function capability(revoked: () => ReadonlySet<string>, clockSkewMs = 0): Stage {
  return (draft) => {
    if (draft.passthrough) {
      const now = { nowMs: draft.nowMs, revoked: revoked(), clockSkewMs };
      const current = currentToken(draft.session.claims, now);
      if (!current.ok) return { reason: current.error, detail: "no capability token is valid" };
      draft.claims = current.value;
      return;
    }
    const call = found(draft.call, "call");
    const demand = {
      host: formatAuthority(call.host, call.port, call.scheme),
      path: call.path,
      nowMs: draft.nowMs,
      revoked: revoked(),
      clockSkewMs,
    };
    let claims = draft.session.claims;
    const classes = classesOf(draft);
    for (const actionClass of classes) {
      const actionLineage = actionClassLineage(actionClass);
      const selected = selectToken(claims, { ...demand, actionLineage });
      if (!selected.ok) {
        return { reason: selected.error, detail: "no capability token covers the call" };
      }
      draft.claims = selected.value;
      // Whatever else the call does, one and the same token must cover it.
      if (classes.size === 1) break;
      claims = claims.filter((token) => selectToken([token], { ...demand, actionLineage }).ok);
    }
  };
}

/** The class that stands for the call last: it chooses among the tokens that cover all. */
function classesOf({ rule, operations = [] }: Draft): ReadonlySet<ActionClass> {
  const classes = new Set(operations.map(({ action_class }) => action_class));
  const { actionClass } = found(rule, "rule");
  classes.delete(actionClass);
  return classes.add(actionClass);
}

/**
 * Why no token covers the call of `envelope` now, one of each thing that it does; else nothing. A
 * call without an envelope passed undecided, and wants a token that is valid.
 */
export function uncovered(
  claims: readonly CapabilityClaims[],
  envelope: ExecutionEnvelope | undefined,
  now: CurrentDemand,
): DenyReason | undefined {
  if (envelope === undefined) {
    const current = currentToken(claims, now);
    return current.ok ? undefined : current.error;
  }
  const { id, path } = envelope.intent.resource;
  const resource = { host: id.slice(0, id.length - path.length), path };
  for (const { intent } of operationEnvelopes(envelope)) {
    const actionLineage = actionClassLineage(intent.action_class);
    const selected = selectToken(claims, { ...now, ...resource, actionLineage });
    if (!selected.ok) return selected.error;
  }
}
