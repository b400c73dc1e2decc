import type { EntityJson, SchemaJson } from "@cedar-policy/cedar-wasm/web";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { encodeValue } from "./canonical.ts";
import type { CompiledPolicy } from "./compile.ts";
import { CONTEXT_ATTRIBUTES, type ContextAttribute } from "./context.ts";
import { foldedKey, foldPolicy } from "./fold.ts";
import { ParsedPolicySet } from "./policy_set.ts";
import { type Reads, unionReads } from "./reads.ts";
import { NAMESPACE } from "./schema.ts";
import { actionAncestors, scopeCovers } from "./slice.ts";

/** The attributes of the resource, under the names that folded policies read them by. */
const RESOURCE_INPUTS: readonly ContextAttribute[] = (["id", "host", "path", "method"] as const)
  .map((name) => ({
    name: foldedKey(name),
    type: "String",
    meaning: "",
    required: true,
    read: ({ intent }) => intent.resource[name],
  }));

/** The policies that can apply to a class, parsed, and what of a call they look at. */
export interface Slice {
  readonly policies: ReadonlyMap<string, CompiledPolicy>;
  readonly parsed: ParsedPolicySet;
  /**
   * Whether the policies are folded: then the context holds the attributes of the
   * resource too, and there are no entities but for conditions on the action.
   */
  readonly folded: boolean;
  readonly resource: readonly ContextAttribute[];
  readonly context: readonly ContextAttribute[];
  readonly reads: Reads;
  /** Whether the inputs determine the decision and can come again. */
  readonly memoise: boolean;
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
  const foldedTexts = new Map<string, string>();
  for (const { id, statement, json } of policies) {
    const text = foldPolicy(statement.text, json);
    if (text !== undefined) foldedTexts.set(id, text);
  }
  const slices = new Map<string, Slice>();
  const plans = new Map<string, ClassPlan>();
  for (const [name, ancestors] of actionAncestors(schema)) {
    const chosen = policies.filter(({ json }) => scopeCovers(json.action, name, ancestors));
    const key = chosen.map(({ id }) => encodeValue(id)).join("");
    let slice = slices.get(key);
    if (slice === undefined && chosen.length > 0) {
      const made = makeSlice(chosen, foldedTexts);
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

function makeSlice(
  chosen: readonly CompiledPolicy[],
  foldedTexts: ReadonlyMap<string, string>,
): Result<Slice, FirmaError[]> {
  const reads = unionReads(chosen.map(({ reads }) => reads));
  const unknown = unknownInputs(reads);
  if (unknown.length > 0) return err(unknown);
  const { wholeContext } = reads;
  const folded = !wholeContext && chosen.every(({ id }) => foldedTexts.has(id));
  const parsed = ParsedPolicySet.parse(
    // Not by assignment: a policy called "__proto__" would be lost.
    Object.fromEntries(
      chosen.map(({ id, statement }) => [id, folded ? foldedTexts.get(id)! : statement.text]),
    ),
  );
  if (!(parsed instanceof ParsedPolicySet)) {
    return err(parsed.errors.map(({ message }) => ({ code: "POLICY_SYNTAX", message })));
  }
  const attributes = new Set([...reads.resource].map(foldedKey));
  return ok({
    policies: new Map(chosen.map((policy) => [policy.id, policy])),
    parsed,
    folded,
    resource: RESOURCE_INPUTS.filter(({ name }) => wholeContext || attributes.has(name)),
    context: CONTEXT_ATTRIBUTES.filter(({ name }) => wholeContext || reads.context.has(name)),
    reads,
    // A key that holds the time never comes again.
    memoise: !wholeContext && !reads.context.has("timestamp_ms"),
  });
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
