import { type Expr, type PolicyJson, policyToJson } from "@cedar-policy/cedar-wasm/web";
import { callCedar } from "./call_cedar.ts";

/** What stands in the context for an attribute that the call has and that cannot be read. */
export const HIDDEN_VALUE: Readonly<Record<string, never>> = {};

const ATTRIBUTE = /\bcontext\s*(?:\.\s*(?<plain>\w+)|\[\s*"(?<quoted>\w+)"\s*\])/g;

/**
 * The text of a policy for a call with hidden attributes: with {@linkcode HIDDEN_VALUE} in
 * the place of each, evaluating a policy that gets as far as looking at one fails, and an
 * error denies. What a policy decides without looking stays decided, and `has` says that the
 * call has the attribute.
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
    (all, plain, quoted) => keys.has(plain ?? quoted) ? `${all}.hidden` : all,
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

/** Errs towards changing too much: then the result is not what Cedar reads, and is not used. */
function hideExpr(value: unknown, keys: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => hideExpr(item, keys));
  if (typeof value !== "object" || value === null) return value;
  const access = (value as { "."?: { left?: { Var?: unknown }; attr?: unknown } })["."];
  if (access?.left?.Var === "context" && keys.has(access.attr as string)) {
    return { ".": { left: value, attr: "hidden" } };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, hideExpr(item, keys)]),
  );
}
