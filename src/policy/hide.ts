import { type Expr, type PolicyJson, policyToJson } from "@cedar-policy/cedar-wasm/web";
import { callCedar } from "./call_cedar.ts";
import { foldedKey } from "./fold.ts";

/** What stands in the context for an attribute that the call has and that cannot be read. */
export const HIDDEN_VALUE: Readonly<Record<string, never>> = {};

const ATTRIBUTE =
  /\b(?<owner>context|resource)\s*(?:\.\s*(?<plain>\w+)|\[\s*"(?<quoted>\w+)"\s*\])/g;

/**
 * The text of a policy for a call with hidden attributes, of the context by their names and
 * of the resource as `resource.path`. It reads a member of each that does not exist, of
 * {@linkcode HIDDEN_VALUE} in the context and of a text in the resource, so evaluating a
 * policy that gets as far as looking at one fails, and an error denies. What a policy
 * decides without looking stays decided, and `has` says that the call has the attribute.
 *
 * It changes text for the reason that folding does. Returns `undefined` where the simple
 * pattern of this file does not give exactly the policy that was meant, as Cedar reads it.
 */
export function hidePolicy(
  text: string,
  json: PolicyJson,
  keys: ReadonlySet<string>,
): string | undefined {
  const changed = text.replace(
    ATTRIBUTE,
    (all, owner, plain, quoted) => keys.has(keyOf(owner, plain ?? quoted)) ? `${all}.hidden` : all,
  );
  const answer = callCedar(() => policyToJson(changed));
  if (answer.type === "failure") return undefined;
  const conditions = json.conditions.map(({ kind, body }) => ({
    kind,
    body: hideExpr(body, keys) as Expr,
  }));
  const meant: PolicyJson = { ...json, conditions };
  return JSON.stringify(answer.json) === JSON.stringify(meant) ? changed : undefined;
}

/** The name of an attribute among those that a call hides. */
function keyOf(owner: "context" | "resource", attribute: string): string {
  return owner === "context" ? attribute : foldedKey(attribute);
}

/** Errs towards changing too much: then the result is not what Cedar reads, and is not used. */
function hideExpr(value: unknown, keys: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => hideExpr(item, keys));
  if (typeof value !== "object" || value === null) return value;
  const access = (value as { "."?: { left?: { Var?: unknown }; attr?: unknown } })["."];
  const owner = access?.left?.Var;
  const isInput = owner === "context" || owner === "resource";
  if (isInput && keys.has(keyOf(owner, access?.attr as string))) {
    return { ".": { left: value, attr: "hidden" } };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, hideExpr(item, keys)]),
  );
}
