import { type ExecutionEnvelope, operationEnvelopes } from "../../core/envelope.ts";
import type { PolicyDecision, Remedy } from "../../policy/outcome.ts";
import type { Denial, Draft, Stage } from "./draft.ts";
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
    if (said.remedy === undefined) return said.denial;
    draft.remedy = said.remedy;
    return said.denial ?? unchangeable(draft);
  };
}

/** A judgement, and which policies determined it. */
export interface Judgement {
  readonly denial: Denial | undefined;
  readonly policyIds: readonly string[];
  /** What would lift the denial; without a denial, what the call must go without. */
  readonly remedy?: Remedy;
}

/**
 * What the policies in force say to `envelope`. Of a call that does several things
 * each must be permitted: a batch is no way around what one of its parts may not do.
 * Nobody is asked about a call of which another part is refused for good.
 */
export function judge(engine: Decider | undefined, envelope: ExecutionEnvelope): Judgement {
  const policyIds = new Set<string>();
  const remedies: Remedy[] = [];
  for (const part of operationEnvelopes(envelope)) {
    const said = judgeOne(engine, part);
    if (said.remedy !== undefined) remedies.push(said.remedy);
    else if (said.denial !== undefined) return said;
    for (const id of said.policyIds) policyIds.add(id);
  }
  const ids = { policyIds: [...policyIds].sort() };
  if (remedies.length === 0) return { denial: undefined, ...ids };
  const remedy = unionOf(remedies);
  return { denial: remediable(remedy), ...ids, remedy };
}

function judgeOne(engine: Decider | undefined, envelope: ExecutionEnvelope): Judgement {
  if (engine === undefined) {
    const denial = { reason: "PolicyBundleNotReady", detail: "no policy bundle in force" } as const;
    return { denial, policyIds: [] };
  }
  const { decision, reason, policyIds, errors, remedy, hint } = engine.decide(envelope);
  if (errors.length > 0) {
    // Cedar skips a forbid that it cannot evaluate, so an error must not allow.
    return { denial: { reason: "FailClosed", detail: errors.join("; ") }, policyIds };
  }
  if (decision === "allow") return { denial: undefined, policyIds };
  const detail = policyIds.length > 0 ? "forbidden by policy" : "no policy permits it";
  const denial = {
    reason: reason || "PolicyDenied",
    detail: hint === undefined ? detail : `${detail}; ${hint}`,
  } as const;
  return { denial, policyIds, ...(remedy && { remedy }) };
}

function unionOf(remedies: readonly Remedy[]): Remedy {
  const sorted = (of: (remedy: Remedy) => readonly string[]) =>
    [...new Set(remedies.flatMap(of))].sort();
  return {
    challenges: sorted(({ challenges }) => challenges),
    deferMs: Math.max(...remedies.map(({ deferMs }) => deferMs)),
    dropHeaders: sorted(({ dropHeaders }) => dropHeaders),
  };
}

/** What stands between the call and its permission; nothing where it only has to be changed. */
function remediable({ challenges, deferMs }: Remedy): Denial | undefined {
  if (challenges.length > 0) {
    return { reason: "StepUpRequired", detail: challenges.join("; ") };
  }
  return deferMs > 0 ? deferred(deferMs) : undefined;
}

/** Whether a call that went out with `taken` as its remedy may go on under a judgement of now. */
export function isStillPermitted(
  { denial, remedy }: Pick<Judgement, "denial" | "remedy">,
  taken: Remedy | undefined,
): boolean {
  if (remedy === undefined) return denial === undefined;
  const within = (needed: readonly string[], had: readonly string[] = []) =>
    needed.every((each) => had.includes(each));
  return remedy.deferMs === 0 && within(remedy.challenges, taken?.challenges) &&
    within(remedy.dropHeaders, taken?.dropHeaders);
}

/** The denial of a call that is put off. */
export function deferred(retryAfterMs: number): Denial {
  return { reason: "Deferred", detail: `put off; retry_after_ms: ${retryAfterMs}`, retryAfterMs };
}

/** A header can be taken only from a request that passes through here in the clear. */
export function unchangeable({ transport, input, remedy }: Draft): Denial | undefined {
  if (remedy === undefined || remedy.dropHeaders.length === 0) return undefined;
  if (transport !== "connect" && input.peer.provenance.via !== "api") return undefined;
  const detail = "forbidden by policy; it could go ahead only without some of its headers, " +
    "and they cannot be taken from it here";
  return { reason: "PolicyDenied", detail };
}
