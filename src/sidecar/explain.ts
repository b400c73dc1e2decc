/**
 * What becomes of a call, and why, without making it: the stages of the data
 * plane, run for a session that does not exist.
 */
import { actionClasses, actionClassLineage } from "../core/action_class.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import type { Decision, DenyReason } from "../core/decision.ts";
import {
  type CallCredential,
  type ContextValue,
  type HttpCall,
  operationEnvelopes,
} from "../core/envelope.ts";
import { newId } from "../core/id.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { INITIAL_SESSION_STATE } from "../core/session_state.ts";
import { parseIssuance, permittedActions } from "../authority/issuance.ts";
import { connectCall, type RawCall } from "../mapping/call.ts";
import { normaliseAuthority } from "../mapping/authority.ts";
import type { MatchedRule } from "../mapping/rule.ts";
import type { MappingFile } from "../mapping/rule_file.ts";
import { MappingTable } from "../mapping/table.ts";
import { type ContextOverrides, PolicyEngine } from "../policy/engine.ts";
import { positionAt } from "../policy/position.ts";
import type { CallInput } from "./gate.ts";
import type { Denial, Draft } from "./pipeline/draft.ts";
import { decisionOf } from "./pipeline/record.ts";
import { createStages, type PipelineConfig, type Stages } from "./pipeline/pipeline.ts";

/** A call that somebody wants to know about. */
export interface ImaginedCall {
  readonly request: RawCall & { readonly authority: string };
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** `agt_…`; one of nobody by default. */
  readonly agentId?: string;
  /** Stand in for what policies would read of the context. */
  readonly overrides?: ContextOverrides;
}

/** A policy that had a say. */
export interface ExplainedPolicy {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  /** Whether it determined the decision. */
  readonly determining: boolean;
  readonly file: string;
  readonly line: number;
}

/** What becomes of a call. What a stage did not get to is absent or empty. */
export interface Explanation {
  readonly call?: HttpCall;
  readonly rule?: MatchedRule;
  /** The action class and its parents, finest first. */
  readonly lineage: readonly string[];
  /** What decoders found in the call. */
  readonly attributes: Readonly<Record<string, ContextValue>>;
  /** Attributes that the call has and that cannot be read, such as the repository of a number. */
  readonly hidden: readonly string[];
  /** Whose credential the call would carry. */
  readonly credential?: CallCredential;
  /** Of the capability token that covers the call. */
  readonly tokenScope: readonly string[];
  readonly policies: readonly ExplainedPolicy[];
  readonly decision: Decision;
  readonly reason: DenyReason | "";
  /** For the operator. */
  readonly detail: string;
  readonly policyIds: readonly string[];
}

/** What calls are decided by. */
export interface ExplainerOptions {
  readonly mapping: readonly MappingFile[];
  readonly bundle: PolicyBundle;
  /** What tokens are granted; without it every action is. */
  readonly issuance?: PolicyBundle;
  readonly config?: PipelineConfig;
  /** @default {true} */
  readonly defaultProtected?: boolean;
}

const NO_CONFIG: PipelineConfig = { connectors: [], bypassHosts: [], maxBodyBytes: 4 * 1024 ** 2 };
const HOUR_MS = 3_600_000;

/** Decides imagined calls as a Sidecar with the same files would. Needs `initCedar`. */
export class Explainer {
  readonly engine: PolicyEngine;
  readonly #options: ExplainerOptions;
  readonly #table: MappingTable;
  readonly #issuance: PolicyEngine | undefined;

  private constructor(
    options: ExplainerOptions,
    table: MappingTable,
    engine: PolicyEngine,
    issuance: PolicyEngine | undefined,
  ) {
    this.#options = options;
    this.#table = table;
    this.engine = engine;
    this.#issuance = issuance;
  }

  /** Loads mapping and policies, or says everything that is wrong with them. */
  static create(options: ExplainerOptions): Result<Explainer, FirmaError[]> {
    const table = MappingTable.parse(options.mapping);
    const engine = PolicyEngine.create(options.bundle);
    const issuance = options.issuance && PolicyEngine.create(options.issuance, { memoCapacity: 0 });
    const errors = [table, engine, issuance].flatMap((part) =>
      part?.ok === false ? part.error : []
    );
    if (!table.ok || !engine.ok || issuance?.ok === false) return err(errors);
    return ok(new Explainer(options, table.value, engine.value, issuance?.value));
  }

  /** Number of mapping rules. */
  get rules(): number {
    return this.#table.size;
  }

  /** Decides `imagined`. Never rejects: what goes wrong on the way denies, as in the Sidecar. */
  async explain(imagined: ImaginedCall): Promise<Explanation> {
    const { request, overrides } = imagined;
    const nowMs = Date.now();
    const draft = imaginedDraft(
      imagined,
      nowMs,
      (agentId, sessionId) => this.#claims(agentId, sessionId, nowMs),
    );
    const freshUntilMs = nowMs + HOUR_MS;
    const stages = createStages({
      config: this.#options.config ?? NO_CONFIG,
      standing: {
        mapping: this.#table,
        defaultProtected: this.#options.defaultProtected ?? true,
        bundle: { freshUntilMs },
        revoked: new Set(),
      },
      engine: () => ({ decide: (envelope) => this.engine.decide(envelope, overrides) }),
    });
    let denial: Denial | undefined;
    try {
      denial = request.method === "CONNECT"
        ? await connectDenial(draft, stages)
        : await stages.reading(draft) ?? await stages.decision(draft);
    } catch (cause) {
      const state = cause instanceof Error ? cause.message : String(cause);
      denial = { reason: "FailClosed", detail: `the decision failed: ${state}` };
    }
    return {
      ...(draft.call && { call: draft.call }),
      ...(draft.rule && { rule: draft.rule }),
      lineage: draft.rule ? actionClassLineage(draft.rule.actionClass) : [],
      attributes: draft.attributes ?? {},
      hidden: draft.hidden ?? [],
      ...(draft.credential && { credential: draft.credential }),
      tokenScope: draft.claims?.resource_scope ?? [],
      policies: this.#policies(draft, overrides),
      decision: decisionOf(draft, denial),
      reason: denial?.reason ?? "",
      detail: denial?.detail ?? "",
      policyIds: draft.policyIds ?? [],
    };
  }

  #policies(draft: Draft, overrides: ContextOverrides | undefined): ExplainedPolicy[] {
    if (draft.envelope === undefined) return [];
    const { policies } = this.#options.bundle;
    const said = new Map<string, ExplainedPolicy>();
    // A call that does several things is put to the policies once for each.
    for (const part of operationEnvelopes(draft.envelope)) {
      for (const { id, effect, file, start } of this.engine.votes(part, overrides)) {
        const text = policies.find((policy) => policy.file === file)?.text ?? "";
        const determining = draft.policyIds?.includes(id) ?? false;
        said.set(id, { id, effect, determining, file, line: positionAt(text, start).line });
      }
    }
    return [...said.values()].sort((a, b) => a.id < b.id ? -1 : 1);
  }

  /** A token with everything that the Authority would grant, as sessions ask for it. */
  #claims(agentId: string, sessionId: string, nowMs: number): CapabilityClaims[] {
    const resourceScope = ["**"];
    let actions: readonly string[] = ["*"];
    if (this.#issuance !== undefined) {
      const requestedActions = actionClasses().map(({ name }) => name);
      const request = {
        agentId,
        sessionId,
        requestedActions,
        resourceScope,
        requestedTtlSeconds: 0,
      };
      const demand = parseIssuance(request);
      const granted = demand.ok ? permittedActions(this.#issuance, demand.value, nowMs) : demand;
      if (!granted.ok) return [];
      actions = granted.value;
    }
    return [{
      token_id: newId("ctok"),
      agent_id: agentId,
      session_id: sessionId,
      action_set: actions,
      resource_scope: resourceScope,
      issued_at: new Date(nowMs).toISOString(),
      expiry: new Date(nowMs + HOUR_MS).toISOString(),
      context_hash: "",
      policy_bundle_version: this.#options.bundle.version,
    }];
  }
}

function imaginedDraft(
  { request, headers, body, agentId = newId("agt") }: ImaginedCall,
  nowMs: number,
  claims: (agentId: string, sessionId: string) => CapabilityClaims[],
): Draft {
  const sessionId = newId("ses");
  const input: CallInput = {
    ...request,
    peer: { sessionId, provenance: { via: "proxy" } },
    httpVersion: "1.1",
    headers,
    readBody: (limit) => Promise.resolve(body.length <= limit ? body : undefined),
  };
  const session = {
    sessionId,
    sandboxId: "",
    agentId,
    startedMs: nowMs,
    claims: claims(agentId, sessionId),
    state: INITIAL_SESSION_STATE,
    ended: false,
  };
  const transport = request.method === "CONNECT" ? "connect" : request.scheme;
  return { input, session, nowMs, transport };
}

/** A CONNECT is given by its host alone. */
async function connectDenial(
  draft: Draft,
  { connecting, decision }: Stages,
): Promise<Denial | undefined> {
  const target = normaliseAuthority(draft.input.authority ?? "", 443);
  if (!target.ok) return { reason: "MalformedRequest", detail: target.error.message };
  draft.call = connectCall(target.value.host, target.value.port);
  return await connecting(draft) ?? await decision(draft);
}
