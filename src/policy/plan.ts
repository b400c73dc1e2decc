import type { EntityJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { encodeValue } from "./canonical.ts";
import type { CompiledPolicy } from "./compile.ts";
import { CONTEXT_ATTRIBUTES, type ContextAttribute } from "./context.ts";
import { ParsedPolicySet } from "./policy_set.ts";
import { type Reads, unionReads } from "./reads.ts";
import { NAMESPACE } from "./schema.ts";
import { actionAncestors, scopeCovers, withoutActionScope } from "./slice.ts";

const RESOURCE_ATTRIBUTES = ["id", "host", "path", "method"] as const;
/** An attribute of the resource that policies can read. */
export type ResourceAttribute = typeof RESOURCE_ATTRIBUTES[number];

/** The policies that can apply to a class, parsed, and what of a call they look at. */
export interface Slice {
  readonly policies: ReadonlyMap<string, CompiledPolicy>;
  readonly parsed: ParsedPolicySet;
  readonly context: readonly ContextAttribute[];
  readonly resource: readonly ResourceAttribute[];
  readonly reads: Reads;
  readonly memoise: boolean;
}

/** How calls of one action class are decided. */
export interface ClassPlan {
  /** Absent when no policy can apply. */
  readonly slice: Slice | undefined;
  readonly action: { readonly type: string; readonly id: string };
  /** The action with its groups, where a condition looks at the action. */
  readonly entities: readonly EntityJson[];
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
  const slices = new Map<string, Slice>();
  const plans = new Map<string, ClassPlan>();
  for (const [name, ancestors] of actionAncestors(schema)) {
    const chosen = policies.filter(({ json }) => scopeCovers(json.action, name, ancestors));
    const key = chosen.map(({ id }) => encodeValue(id)).join("");
    let slice = slices.get(key);
    if (slice === undefined && chosen.length > 0) {
      const made = makeSlice(chosen);
      if (!made.ok) return made;
      slice = made.value;
      slices.set(key, slice);
    }
    const action = { type: `${NAMESPACE}::Action`, id: name };
    const parents = [...ancestors].map((id) => ({ type: action.type, id }));
    plans.set(name, {
      slice,
      action,
      entities: [{ uid: action, attrs: {}, parents }],
      keyPrefix: encodeValue(bundleVersion) + encodeValue(name),
    });
  }
  return ok(plans);
}

function makeSlice(chosen: readonly CompiledPolicy[]): Result<Slice, FirmaError[]> {
  const texts: [id: string, text: string][] = [];
  for (const policy of chosen) {
    const text = withoutActionScope(policy);
    if (text === undefined) return err([notSliceable(policy)]);
    texts.push([policy.id, text]);
  }
  const reads = unionReads(chosen.map(({ reads }) => reads));
  const unknown = unknownInputs(reads);
  if (unknown.length > 0) return err(unknown);
  const parsed = ParsedPolicySet.parse(
    // Not by assignment: a policy called "__proto__" would be lost.
    Object.fromEntries(texts),
  );
  if (!(parsed instanceof ParsedPolicySet)) {
    return err(parsed.errors.map(({ message }) => ({ code: "POLICY_SYNTAX", message })));
  }
  const { wholeContext } = reads;
  return ok({
    policies: new Map(chosen.map((policy) => [policy.id, policy])),
    parsed,
    context: CONTEXT_ATTRIBUTES.filter(({ name }) => wholeContext || reads.context.has(name)),
    resource: RESOURCE_ATTRIBUTES.filter((name) => reads.unknown || reads.resource.has(name)),
    reads,
    // A key that holds the time never comes again.
    memoise: !wholeContext && !reads.context.has("timestamp_ms"),
  });
}

/** A Sidecar older than the schema must not decide by attributes that it never fills in. */
function unknownInputs({ context, resource }: Reads): FirmaError[] {
  const known = new Set(CONTEXT_ATTRIBUTES.map(({ name }) => name));
  const unknown = [...context].filter((name) => !known.has(name)).map((name) => `context.${name}`);
  for (const name of resource) {
    if (!RESOURCE_ATTRIBUTES.some((known) => known === name)) unknown.push(`resource.${name}`);
  }
  return unknown.map((name) => ({
    code: "POLICY_UNKNOWN_INPUT",
    message: `Cannot load the policy bundle: a policy reads "${name}", which nothing supplies`,
    cure: "use the schema that belongs to this version of firma",
  }));
}

function notSliceable({ id, file }: CompiledPolicy): FirmaError {
  return {
    code: "POLICY_SYNTAX",
    message: `Cannot load policy "${id}": its scope is written in a way that firma cannot read`,
    cure: "write the scope as (principal, action in [...], resource)",
    at: { file },
  };
}
