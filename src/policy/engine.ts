import type {
  CedarValueJson,
  EntityJson,
  StatefulAuthorizationCall,
} from "@cedar-policy/cedar-wasm/web";
import { statefulIsAuthorized } from "@cedar-policy/cedar-wasm/web";
import type { ContextValue, ExecutionEnvelope } from "../core/envelope.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { callCedar, unlessBroken } from "./call_cedar.ts";
import { canonicalValue, encodeValue } from "./canonical.ts";
import { isChecked } from "./checked.ts";
import { compileBundle } from "./compile.ts";
import { cedarFault } from "./fault.ts";
import { foldedKey, foldPolicy } from "./fold.ts";
import { HIDDEN_VALUE, hidePolicy } from "./hide.ts";
import { Memo } from "./memo.ts";
import { denyBy, failClosed, type PolicyDecision } from "./outcome.ts";
import { type ClassPlan, parseAll, type ParsedSlice, planClasses, type Slice } from "./plan.ts";
import { ParsedPolicySet } from "./policy_set.ts";
import type { Reads } from "./reads.ts";
import { NAMESPACE } from "./schema.ts";

/** Options of {@linkcode PolicyEngine.create}. */
export interface PolicyEngineOptions {
  /**
   * How many decisions are remembered. `0` remembers none.
   * @default {4096}
   */
  readonly memoCapacity?: number;
}

/** Values that stand in for context attributes, by name. */
export type ContextOverrides = Readonly<Record<string, ContextValue>>;

/** A policy that applies to a call. */
export interface PolicyVote {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  readonly file: string;
  /** Where it begins in its file, in UTF-16 units. */
  readonly start: number;
}

// What an agent sends decides how long a key is; longer ones are not worth the memory.
const LONGEST_KEY = 2048;

const NOTHING_PERMITS: PolicyDecision = {
  decision: "deny",
  reason: "PolicyDenied",
  policyIds: [],
  errors: [],
};

/**
 * Decides calls under one policy bundle. The decision is a pure function of
 * bundle and envelope. Needs `initCedar` or `offerCedar` to have run in this thread.
 *
 * For speed it hands Cedar only the policies whose scope can match the action
 * class, and of the call only what those policies look at; it remembers
 * decisions by exactly these inputs. None of this changes a decision.
 */
export class PolicyEngine {
  readonly #plans: ReadonlyMap<string, ClassPlan>;
  readonly #memo: Memo<PolicyDecision>;
  readonly #memoise: boolean;

  private constructor(plans: ReadonlyMap<string, ClassPlan>, memoCapacity: number) {
    this.#plans = plans;
    this.#memo = new Memo(memoCapacity);
    this.#memoise = memoCapacity > 0;
  }

  /** Compiles a bundle, or says everything that is wrong with it. */
  static create(
    bundle: PolicyBundle,
    options: PolicyEngineOptions = {},
  ): Result<PolicyEngine, FirmaError[]> {
    try {
      const { schema, policies, errors } = compileBundle(bundle);
      if (errors.length > 0) return err([...errors]);
      const plans = planClasses(bundle.version, schema, policies);
      if (!plans.ok) return plans;
      // Of a checked bundle each slice is parsed when the first call of its classes comes.
      const faults = isChecked(bundle) ? [] : parseAll(plans.value);
      if (faults.length > 0) return err(faults);
      return ok(new PolicyEngine(plans.value, options.memoCapacity ?? 4096));
    } catch (cause) {
      return err([cedarFault(cause)]);
    }
  }

  /**
   * Decides one call. Never throws: what cannot be decided is denied. `overrides`
   * stand in for what the envelope says, for calls that somebody only imagines.
   */
  decide(envelope: ExecutionEnvelope, overrides?: ContextOverrides): PolicyDecision {
    const { action_class, attributes } = envelope.intent;
    const plan = this.#plans.get(action_class);
    if (plan === undefined) {
      return failClosed([`Cannot decide "${action_class}": the schema has no such action`]);
    }
    for (const name in attributes) {
      const value = attributes[name];
      if (typeof value === "number" && !Number.isSafeInteger(value)) {
        return failClosed([`Cannot use attribute "${name}": ${value} is no exact integer`]);
      }
    }
    const { slice } = plan;
    if (slice === undefined) return NOTHING_PERMITS;
    const { constant } = slice;
    try {
      if (constant !== undefined) return unlessBroken(constant);
      const plain = overrides === undefined ? slice.plain?.(envelope) : undefined;
      if (plain !== undefined) return unlessBroken(plain);
      const request = buildRequest(envelope, plan, slice, overrides);
      if (!("key" in request)) return request;
      return this.#decideSlice(request, slice, () => {
        const rest = slice.lifted();
        return rest === undefined
          ? NOTHING_PERMITS
          : decideWithout(envelope, plan, rest, overrides);
      });
    } catch (cause) {
      return failClosed([cedarFault(cause).message]);
    }
  }

  /**
   * The policies that had a say in a call, sorted by id: each that applies to it,
   * whether it determined the decision or another one outweighed it. For people;
   * takes much longer than a decision.
   */
  votes(envelope: ExecutionEnvelope, overrides?: ContextOverrides): PolicyVote[] {
    const plan = this.#plans.get(envelope.intent.action_class);
    const slice = plan?.slice;
    if (plan === undefined || slice === undefined) return [];
    const votes: PolicyVote[] = [];
    try {
      const request = buildRequest(envelope, plan, slice, overrides);
      if (!("key" in request)) return [];
      const { folded, hidden } = request.parsed;
      for (const { id, file, json, statement } of slice.policies.values()) {
        const text = hidden.size > 0
          ? hidePolicy(statement.text, json, hidden)
          : folded
          ? foldPolicy(statement.text, json)
          : statement.text;
        const alone = text === undefined ? undefined : ParsedPolicySet.parse({ [id]: text });
        if (!(alone instanceof ParsedPolicySet)) continue;
        const call = { ...request.call(), preparsedPolicySetId: alone.name };
        const said = authorise(slice, call, hidden, () => NOTHING_PERMITS);
        if (!said.policyIds.includes(id)) continue;
        votes.push({ id, effect: json.effect, file, start: statement.start });
      }
    } catch {
      return []; // the decision says what went wrong
    }
    return votes.sort((a, b) => a.id < b.id ? -1 : 1);
  }

  /** What the policies of an action class look at; `undefined` when none can apply to it. */
  readsOf(actionClass: string): Reads | undefined {
    return this.#plans.get(actionClass)?.slice?.reads;
  }

  /** The policies that can apply to some action class, sorted. */
  get policyIds(): string[] {
    const slices = [...this.#plans.values()].flatMap(({ slice }) => slice ?? []);
    return [...new Set(slices.flatMap(({ policies }) => [...policies.keys()]))].sort();
  }

  #decideSlice(
    { key, parsed, call }: PolicyRequest,
    slice: Slice,
    lifted: () => PolicyDecision,
  ): PolicyDecision {
    const memoise = this.#memoise && slice.memoise && key.length <= LONGEST_KEY;
    const known = memoise ? this.#memo.get(key) : undefined;
    if (known !== undefined) return known;
    const decision = authorise(slice, call(), parsed.hidden, lifted);
    if (memoise) this.#memo.set(key, decision);
    return decision;
  }
}

/** What Cedar is asked, and the name under which the answer is remembered. */
interface PolicyRequest {
  readonly key: string;
  readonly parsed: ParsedSlice;
  /** Made only when it is asked for: most answers are remembered. */
  readonly call: () => StatefulAuthorizationCall;
}

/** Takes from a call just what the slice looks at; a decision when that cannot be had. */
function buildRequest(
  envelope: ExecutionEnvelope,
  plan: ClassPlan,
  slice: Slice,
  overrides: ContextOverrides | undefined,
): PolicyRequest | PolicyDecision {
  const agentId = slice.reads.principalId ? envelope.capability.agent_id : "";
  const resourceId = slice.reads.resourceId ? envelope.intent.resource.id : "";
  if (!agentId.isWellFormed() || !resourceId.isWellFormed()) {
    return failClosed(["Cannot use an identifier: it is not valid Unicode"]);
  }
  let key = plan.keyPrefix + encodeValue(agentId) + encodeValue(resourceId);
  const context: Record<string, CedarValueJson> = {};
  const parsed = slice.parsed(envelope.intent.hidden);
  if (parsed === undefined) {
    return failClosed(["Cannot use what policies read of the call: it hides some of it"]);
  }
  const { set, folded, hidden } = parsed;
  const attrs: Record<string, CedarValueJson> = folded ? context : {};
  for (const [inputs, target] of [[slice.resource, attrs], [slice.context, context]] as const) {
    for (const { name, type, required, read } of inputs) {
      if (hidden.has(name) && !(overrides !== undefined && Object.hasOwn(overrides, name))) {
        key += "h";
        if (inputs === slice.context) {
          context[name] = HIDDEN_VALUE;
          continue;
        }
      }
      const raw = overrides !== undefined && Object.hasOwn(overrides, name)
        ? overrides[name]
        : read(envelope);
      const value = raw === undefined ? undefined : canonicalValue(raw, type);
      if (value !== undefined) target[name] = value as CedarValueJson;
      else if (raw !== undefined || required) {
        const state = raw === undefined ? "nobody measured it" : `value is not a ${type}`;
        return failClosed([`Cannot use attribute "${name}": ${state}`]);
      }
      key += encodeValue(value);
    }
  }
  const call = (): StatefulAuthorizationCall => ({
    principal: { type: `${NAMESPACE}::Agent`, id: agentId },
    action: plan.action,
    resource: { type: `${NAMESPACE}::Resource`, id: resourceId },
    context,
    preparsedPolicySetId: set.name,
    entities: folded ? actionEntities(plan, slice) : entities(plan, resourceId, attrs),
    validateRequest: false,
  });
  return { key, parsed, call };
}

/** Decides by what is left of a slice once its remedies are taken. */
function decideWithout(
  envelope: ExecutionEnvelope,
  plan: ClassPlan,
  rest: Slice,
  overrides: ContextOverrides | undefined,
): PolicyDecision {
  if (rest.constant !== undefined) return rest.constant;
  const request = buildRequest(envelope, plan, rest, overrides);
  if (!("key" in request)) return request;
  return authorise(rest, request.call(), request.parsed.hidden, () => NOTHING_PERMITS);
}

function actionEntities({ actionEntity }: ClassPlan, { reads }: Slice): EntityJson[] {
  return reads.actionId ? [actionEntity] : [];
}

function entities(
  { actionEntity }: ClassPlan,
  resourceId: string,
  resource: Readonly<Record<string, CedarValueJson>>,
): EntityJson[] {
  const entries = Object.entries(resource);
  const attrs = Object.fromEntries(
    entries.map(([name, value]) => [name.slice(foldedKey("").length), value]),
  );
  const uid = { type: `${NAMESPACE}::Resource`, id: resourceId };
  return [actionEntity, { uid, attrs, parents: [] }];
}

function authorise(
  slice: Slice,
  call: StatefulAuthorizationCall,
  hidden: ReadonlySet<string>,
  lifted: () => PolicyDecision,
): PolicyDecision {
  const answer = callCedar(() => statefulIsAuthorized(call));
  if (answer.type === "failure") return failClosed(answer.errors.map(({ message }) => message));
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) {
    // Cedar leaves out a policy that it cannot evaluate, so a broken `forbid` would allow.
    const errors = diagnostics.errors.map(({ policyId, error }) =>
      `Cannot evaluate policy "${policyId}": ${
        hidden.size > 0 ? `the call hides ${[...hidden].join(", ")}` : error.message
      }`
    );
    return failClosed(errors.sort(), diagnostics.errors.map(({ policyId }) => policyId).sort());
  }
  const policyIds = diagnostics.reason.toSorted();
  if (decision === "allow") return { decision, reason: "", policyIds, errors: [] };
  const forbids = policyIds.map((id) => slice.policies.get(id)!);
  return denyBy(forbids, () => lifted().decision === "allow");
}
