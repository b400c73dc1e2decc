import { actionClassLineage } from "../../core/action_class.ts";
import { selectToken } from "../../capability/select.ts";
import { formatAuthority } from "../../mapping/authority.ts";
import { found, type Stage } from "./draft.ts";

/** Stage 1: the session holds a token that covers this call now. */
export function capability(revoked: () => ReadonlySet<string>): Stage {
  return (draft) => {
    if (draft.passthrough) return;
    const call = found(draft.call, "call");
    const selected = selectToken(draft.session.claims, {
      actionLineage: actionClassLineage(found(draft.rule, "rule").actionClass),
      host: formatAuthority(call.host, call.port, call.scheme),
      path: call.path,
      nowMs: draft.nowMs,
      revoked: revoked(),
    });
    if (!selected.ok) {
      return { reason: selected.error, detail: "no capability token covers the call" };
    }
    draft.claims = selected.value;
  };
}
