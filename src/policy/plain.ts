import type { Expr } from "@cedar-policy/cedar-wasm/web";
import type { ExecutionEnvelope } from "../core/envelope.ts";
import type { CompiledPolicy } from "./compile.ts";
import type { PolicyDecision } from "./outcome.ts";
import { unconditionalDecision } from "./unconditional.ts";

/** Attributes of the resource that every call has and that plain conditions may look at. */
const PLAIN = ["host", "method"] as const;
type Resource = Readonly<Record<typeof PLAIN[number], string>>;
type Test = (resource: Resource) => boolean;

/** More policies than this are left to Cedar: the answers for each set of them are remembered. */
const MOST_POLICIES = 24;

/** Decides a call; `undefined` where only Cedar can. */
export type PlainDecider = (envelope: ExecutionEnvelope) => PolicyDecision | undefined;

/**
 * Decides a slice without Cedar whose policies ask for nothing but whether the host or the method
 * is a certain one: conditions of `has`, `==`, `!=`, `&&`, `||` and `!` over these, which no call
 * can make fail. `undefined` where a policy asks for anything else, or names a principal or a
 * resource. Cedar takes 0.1 s of CPU for its first decision, which the first program of every agent
 * would wait for.
 */
export function plainDecider(policies: readonly CompiledPolicy[]): PlainDecider | undefined {
  if (policies.length > MOST_POLICIES) return undefined;
  const tests = policies.map(testOf);
  if (!tests.every((test) => test !== undefined)) return undefined;
  const known = new Map<number, PolicyDecision>();
  return ({ intent: { resource, hidden } }) => {
    if (hidden !== undefined && hidden.length > 0) return undefined;
    if (!PLAIN.every((name) => isText(resource[name]))) return undefined;
    const applies = tests.map((test) => test(resource));
    const key = applies.reduce((bits, does) => bits * 2 + Number(does), 0);
    const said = known.get(key) ?? decide(policies.filter((_, index) => applies[index]));
    known.set(key, said);
    return said;
  };
}

const NOTHING_PERMITS: PolicyDecision = {
  decision: "deny",
  reason: "PolicyDenied",
  policyIds: [],
  errors: [],
};

/** The decision by policies of which each applies. */
function decide(policies: readonly CompiledPolicy[]): PolicyDecision {
  const bare = policies.map((policy) => ({ ...policy, json: { ...policy.json, conditions: [] } }));
  return unconditionalDecision(bare) ?? NOTHING_PERMITS;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.isWellFormed();
}

function testOf({ json }: CompiledPolicy): Test | undefined {
  const { principal, resource, conditions } = json;
  if (principal.op !== "All" || resource.op !== "All") return undefined;
  const tests = conditions.map(({ kind, body }) => {
    const test = expression(body);
    return kind === "when" ? test : test && not(test);
  });
  if (!tests.every((test) => test !== undefined)) return undefined;
  return (call) => tests.every((test) => test(call));
}

const not = (test: Test): Test => (call) => !test(call);

type Operands = Readonly<Record<string, unknown>>;

/** A condition as a function; `undefined` for every expression that is not of the plain ones. */
function expression(expr: unknown): Test | undefined {
  const [op, operands] = onlyMember(expr);
  if (op === "Value") return typeof operands === "boolean" ? () => operands : undefined;
  if (typeof operands !== "object" || operands === null) return undefined;
  const { left, right, arg, attr } = operands as Operands;
  switch (op) {
    case "&&":
    case "||": {
      const [first, second] = [expression(left), expression(right)];
      if (first === undefined || second === undefined) return undefined;
      return op === "&&"
        ? (call) => first(call) && second(call)
        : (call) => first(call) || second(call);
    }
    case "!": {
      const test = expression(arg);
      return test && not(test);
    }
    case "has":
      return isResource(left) && isPlain(attr) ? () => true : undefined;
    case "==":
    case "!=": {
      const test = equality(left, right) ?? equality(right, left);
      return op === "==" ? test : test && not(test);
    }
  }
}

function equality(attribute: unknown, literal: unknown): Test | undefined {
  const [read, of] = onlyMember(attribute);
  const [kind, text] = onlyMember(literal);
  if (read !== "." || kind !== "Value" || typeof text !== "string") return undefined;
  const { left, attr } = of as Operands;
  return isResource(left) && isPlain(attr) ? (call) => call[attr] === text : undefined;
}

function isResource(expr: unknown): boolean {
  const [op, name] = onlyMember(expr);
  return op === "Var" && name === "resource";
}

function isPlain(name: unknown): name is keyof Resource {
  return PLAIN.some((plain) => plain === name);
}

/** An expression is an object with its operator as the only member. */
function onlyMember(expr: unknown): readonly [string | undefined, unknown] {
  const members = typeof expr === "object" && expr !== null ? Object.entries(expr as Expr) : [];
  return members.length === 1 ? members[0]! : [undefined, undefined];
}
