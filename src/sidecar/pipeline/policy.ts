import { type ExecutionEnvelope, operationEnvelopes } from "../../core/envelope.ts";
import type { PolicyDecision } from "../../policy/outcome.ts";
import type { Denial, Stage } from "./draft.ts";
import { buildEnvelope } from "./envelope.ts";

/** The face of the policy engine that deciding needs. */
export interface Decider {
  decide(envelope: ExecutionEnvelope): PolicyDecision;
}

/** Stage 2: the policies allow it. */
export function policy(engine: () => Decider | undefined): Stage {
  return (draft) => {
    if (draft.passthrough) return;
    draft.envelope = buildEnvelope(draft);
    const said = judge(engine(), draft.envelope);
    draft.policyIds = said.policyIds;
    return said.denial;
  };
}

/** A judgement, and which policies determined it. */
interface Judgement {
  readonly denial: Denial | undefined;
  readonly policyIds: readonly string[];
}

/**
 * What the policies in force say to `envelope`. Of a call that does several things
 * each must be permitted: a batch is no way around what one of its parts may not do.
 */
export function judge(engine: Decider | undefined, envelope: ExecutionEnvelope): Judgement {
  const policyIds = new Set<string>();
  for (const part of operationEnvelopes(envelope)) {
    const said = judgeOne(engine, part);
    if (said.denial !== undefined) return said;
    for (const id of said.policyIds) policyIds.add(id);
  }
  return { denial: undefined, policyIds: [...policyIds].sort() };
}

function judgeOne(engine: Decider | undefined, envelope: ExecutionEnvelope): Judgement {
  if (engine === undefined) {
    const denial = { reason: "PolicyBundleNotReady", detail: "no policy bundle in force" } as const;
    return { denial, policyIds: [] };
  }
  const { decision, reason, policyIds, errors } = engine.decide(envelope);
  if (errors.length > 0) {
    // Cedar skips a forbid that it cannot evaluate, so an error must not allow.
    return { denial: { reason: "FailClosed", detail: errors.join("; ") }, policyIds };
  }
  if (decision === "allow") return { denial: undefined, policyIds };
  const detail = policyIds.length > 0 ? "forbidden by policy" : "no policy permits it";
  return { denial: { reason: reason || "PolicyDenied", detail }, policyIds };
}
