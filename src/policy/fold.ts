import { type Expr, type PolicyJson, policyToJson } from "@cedar-policy/cedar-wasm/web";
import { callCedar } from "./call_cedar.ts";

/** The context key that stands for an attribute of the resource in a folded policy. */
export function foldedKey(attribute: string): string {
  return `resource.${attribute}`;
}

// The first mention of the action after the effect is the one in the scope.
const ACTION_SCOPE =
  /(\b(?:permit|forbid)\s*\([^,]*,\s*action)\s*(?:==\s*[^,]*|in\s*(?:\[[^\]]*\]|[^,]*))/;
const ATTRIBUTE = /\bresource(?:\s+has\s+(?<tested>\w+)|\s*\.\s*(?<read>\w+))/g;

/**
 * The text of a policy for a slice in which its action constraint is known to
 * hold: without that constraint, and reading the resource's attributes from the
 * context. Cedar then needs neither the action hierarchy nor a resource entity
 * with each request, and those cost it more than the decision.
 *
 * It changes text and not the JSON form, in which integers beyond 2^53 are already
 * rounded. Returns `undefined` where the simple patterns of this file do not give
 * exactly the policy that was meant, as Cedar reads it.
 */
export function foldPolicy(text: string, json: PolicyJson): string | undefined {
  const folded = text
    .replace(ACTION_SCOPE, "$1")
    .replace(
      ATTRIBUTE,
      (_, tested, read) =>
        tested ? `context has "${foldedKey(tested)}"` : `context["${foldedKey(read)}"]`,
    );
  const answer = callCedar(() => policyToJson(folded));
  if (answer.type === "failure") return undefined;
  const conditions = json.conditions.map(({ kind, body }) => ({ kind, body: foldExpr(body) }));
  const meant: PolicyJson = { ...json, action: { op: "All" }, conditions };
  return JSON.stringify(answer.json) === JSON.stringify(meant) ? folded : undefined;
}

function foldExpr(expr: Expr): Expr {
  const [op, body] = Object.entries(expr as Record<string, unknown>)[0]!;
  if (op === "Value" || op === "Var") return expr;
  if (Array.isArray(body)) return { [op]: body.map((item) => foldExpr(item)) } as Expr;
  const part = body as Record<string, unknown>;
  if (op === "Record") return { Record: mapValues(part, foldExpr) };
  if ((op === "." || op === "has") && isResource(part.left)) {
    const left = { Var: "context" };
    const attr = Array.isArray(part.attr)
      ? [foldedKey(part.attr[0]), ...part.attr.slice(1)]
      : foldedKey(part.attr as string);
    return { [op]: { left, attr } } as Expr;
  }
  // What is no expression here is a name or a pattern.
  return {
    [op]: mapValues(part, (item, key) => key === "pattern" ? item : foldOperand(item)),
  } as Expr;
}

function foldOperand(operand: unknown): unknown {
  return typeof operand === "object" && operand !== null && !Array.isArray(operand)
    ? foldExpr(operand as Expr)
    : operand;
}

function isResource(expr: unknown): boolean {
  return (expr as { Var?: unknown }).Var === "resource";
}

function mapValues<T, U>(record: object, change: (value: T, key: string) => U): Record<string, U> {
  const entries = Object.entries(record) as [string, T][];
  return Object.fromEntries(entries.map(([key, value]) => [key, change(value, key)]));
}
