import type { EntityJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { err, type FirmaError, FirmaException, ok, type Result } from "../core/result.ts";
import { encodeValue } from "./canonical.ts";
import type { CompiledPolicy } from "./compile.ts";
import { CONTEXT_ATTRIBUTES, type ContextAttribute } from "./context.ts";
import { foldedKey, foldPolicy } from "./fold.ts";
import { hidePolicy } from "./hide.ts";
import { ParsedPolicySet } from "./policy_set.ts";
import { type Reads, unionReads } from "./reads.ts";
import { NAMESPACE } from "./schema.ts";
import type { PolicyDecision } from "./outcome.ts";
import { type PlainDecider, plainDecider } from "./plain.ts";
import { actionAncestors, scopeCovers } from "./slice.ts";
import { unconditionalDecision } from "./unconditional.ts";

/** The attributes of the resource, under the names that folded policies read them by. */
const RESOURCE_INPUTS: readonly ContextAttribute[] = (["id", "host", "path", "method"] as const)
  .map((name) => ({
    name: foldedKey(name),
    type: "String",
    meaning: "",
    required: true,
    read: ({ intent }) => intent.resource[name],
  }));

/** What Cedar holds of a slice. */
export interface ParsedSlice {
  readonly set: ParsedPolicySet;
  /**
   * Whether the policies are folded: then the context holds the attributes of the
   * resource too, and there are no entities but for conditions on the action.
   */
  readonly folded: boolean;
  /** Attributes that must not be looked at; {@linkcode hidePolicy} sees to it. */
  readonly hidden: ReadonlySet<string>;
}

/** The policies that can apply to a class, and what of a call they look at. */
export interface Slice {
  readonly policies: ReadonlyMap<string, CompiledPolicy>;
  /**
   * Parses the policies at the first call, for calls that hide some attributes.
   * `undefined` when a policy cannot be kept from looking at them.
   *
   * @throws {FirmaException} When Cedar refuses them.
   */
  readonly parsed: (hidden?: readonly string[]) => ParsedSlice | undefined;
  readonly resource: readonly ContextAttribute[];
  readonly context: readonly ContextAttribute[];
  readonly reads: Reads;
  /** Whether the inputs determine the decision and can come again. */
  readonly memoise: boolean;
  /** What is decided whatever the inputs are. */
  readonly constant: PolicyDecision | undefined;
  /** Decides without Cedar, where the policies are plain enough for it. */
  readonly plain: PlainDecider | undefined;
  /** The slice without each `forbid` that names a remedy; `undefined` when that leaves none. */
  readonly lifted: () => Slice | undefined;
}

/** How calls of one action class are decided. */
export interface ClassPlan {
  /** Absent when no policy can apply. */
  readonly slice: Slice | undefined;
  readonly action: { readonly type: string; readonly id: string };
  /** The action with its groups. */
  readonly actionEntity: EntityJson;
  readonly keyPrefix: string;
}

/**
 * Cuts a set of valid policies into one slice for each action of the schema.
 * Classes with the same policies share a slice.
 */
export function planClasses(
  bundleVersion: string,
  schema: SchemaJson<string>,
  policies: readonly CompiledPolicy[],
): Result<Map<string, ClassPlan>, FirmaError[]> {
  const fold = foldOnce();
  const slices = new Map<string, Slice>();
  const plans = new Map<string, ClassPlan>();
  for (const [name, ancestors] of actionAncestors(schema)) {
    const chosen = policies.filter(({ json }) => scopeCovers(json.action, name, ancestors));
    const key = chosen.map(({ id }) => encodeValue(id)).join("");
    let slice = slices.get(key);
    if (slice === undefined && chosen.length > 0) {
      const made = makeSlice(chosen, fold);
      if (!made.ok) return made;
      slice = made.value;
      slices.set(key, slice);
    }
    const action = { type: `${NAMESPACE}::Action`, id: name };
    const parents = [...ancestors].map((id) => ({ type: action.type, id }));
    plans.set(name, {
      slice,
      action,
      actionEntity: { uid: action, attrs: {}, parents },
      keyPrefix: encodeValue(bundleVersion) + encodeValue(name),
    });
  }
  return ok(plans);
}

type Fold = (policy: CompiledPolicy) => string | undefined;

/** Folds each policy at most once, however many slices it is in. */
function foldOnce(): Fold {
  const texts = new Map<CompiledPolicy, string | undefined>();
  return (policy) => {
    if (!texts.has(policy)) texts.set(policy, foldPolicy(policy.statement.text, policy.json));
    return texts.get(policy);
  };
}

function makeSlice(chosen: readonly CompiledPolicy[], fold: Fold): Result<Slice, FirmaError[]> {
  const unknown = unknownInputs(unionReads(chosen.map(({ reads }) => reads)));
  return unknown.length > 0 ? err(unknown) : ok(sliceOf(chosen, fold));
}

function sliceOf(chosen: readonly CompiledPolicy[], fold: Fold): Slice {
  const reads = unionReads(chosen.map(({ reads }) => reads));
  const { wholeContext } = reads;
  let plain: ParsedSlice | undefined;
  let lifted: Slice | undefined;
  const hiding = new Map<string, ParsedSlice | undefined>();
  const attributes = new Set([...reads.resource].map(foldedKey));
  return {
    policies: new Map(chosen.map((policy) => [policy.id, policy])),
    parsed: (hidden = []) => {
      if (hidden.length > 0 && (wholeContext || reads.context.has("params"))) return undefined;
      if (reads.resourceId && hidden.includes(foldedKey("id"))) return undefined;
      const keys = hidden.filter((name) => reads.context.has(name) || attributes.has(name));
      if (keys.length === 0) {
        return plain ??= parseSlice(chosen, wholeContext ? () => undefined : fold);
      }
      const known = keys.sort().join();
      if (!hiding.has(known)) hiding.set(known, parseHiding(chosen, new Set(keys)));
      return hiding.get(known);
    },
    resource: RESOURCE_INPUTS.filter(({ name }) => wholeContext || attributes.has(name)),
    context: CONTEXT_ATTRIBUTES.filter(({ name }) => wholeContext || reads.context.has(name)),
    reads,
    // A key that holds the time never comes again.
    memoise: !wholeContext && !reads.context.has("timestamp_ms"),
    constant: unconditionalDecision(chosen),
    plain: plainDecider(chosen),
    lifted: () => {
      const rest = chosen.filter(({ remediation }) => remediation === undefined);
      if (rest.length === 0) return undefined;
      return lifted ??= sliceOf(rest, fold);
    },
  };
}

function parseSlice(chosen: readonly CompiledPolicy[], fold: Fold): ParsedSlice {
  const folded = chosen.every((policy) => fold(policy) !== undefined);
  const set = parseTexts(chosen, (policy) => folded ? fold(policy)! : policy.statement.text);
  return { set, folded, hidden: new Set() };
}

/** The decoders decide which attributes are hidden together, so there are few such sets. */
function parseHiding(
  chosen: readonly CompiledPolicy[],
  hidden: ReadonlySet<string>,
): ParsedSlice | undefined {
  const texts = new Map<CompiledPolicy, string>();
  for (const policy of chosen) {
    const text = hidePolicy(policy.statement.text, policy.json, hidden);
    if (text === undefined) return undefined;
    texts.set(policy, text);
  }
  return { set: parseTexts(chosen, (policy) => texts.get(policy)!), folded: false, hidden };
}

function parseTexts(
  chosen: readonly CompiledPolicy[],
  textOf: (policy: CompiledPolicy) => string,
): ParsedPolicySet {
  const set = ParsedPolicySet.parse(
    // Not by assignment: a policy called "__proto__" would be lost.
    Object.fromEntries(chosen.map((policy) => [policy.id, textOf(policy)])),
  );
  if (set instanceof ParsedPolicySet) return set;
  const message = set.errors.map((error) => error.message).join("; ");
  throw new FirmaException({ code: "POLICY_SYNTAX", message });
}

/** Parses every slice; returns why Cedar refuses some of them. */
export function parseAll(plans: ReadonlyMap<string, ClassPlan>): FirmaError[] {
  const faults: FirmaError[] = [];
  for (const slice of new Set([...plans.values()].map((plan) => plan.slice))) {
    try {
      slice?.parsed();
    } catch (cause) {
      if (!(cause instanceof FirmaException)) throw cause;
      faults.push(cause.error);
    }
  }
  return faults;
}

/** A Sidecar older than the schema must not decide by attributes that it never fills in. */
function unknownInputs({ context, resource }: Reads): FirmaError[] {
  const unknown: string[] = [];
  for (const key of context) {
    if (!CONTEXT_ATTRIBUTES.some(({ name }) => name === key)) unknown.push(`context.${key}`);
  }
  for (const key of resource) {
    if (!RESOURCE_INPUTS.some(({ name }) => name === foldedKey(key))) unknown.push(foldedKey(key));
  }
  return unknown.map((name) => ({
    code: "POLICY_UNKNOWN_INPUT",
    message: `Cannot load the policy bundle: a policy reads "${name}", which nothing supplies`,
    cure: "use the schema that belongs to this version of firma",
  }));
}
