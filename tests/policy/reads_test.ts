import assert from "node:assert/strict";
import { type Expr, type PolicyJson, policyToJson } from "@cedar-policy/cedar-wasm/web";
import { policyReads } from "../../src/policy/reads.ts";
import "./support.ts";

function parse(text: string): PolicyJson {
  const answer = policyToJson(text);
  assert.equal(answer.type, "success", text);
  return answer.json;
}

function reads(condition: string, scope = "principal, action, resource"): string {
  const { reads } = policyReads(parse(`permit (${scope}) when { ${condition} };`));
  const found = [...reads.context].map((key) => `context.${key}`);
  for (const key of reads.resource) found.push(`resource.${key}`);
  if (reads.wholeContext) found.push("context");
  if (reads.principalId) found.push("principal");
  if (reads.resourceId) found.push("resource");
  if (reads.actionId) found.push("action");
  if (reads.unknown) found.push("unknown");
  return found.sort().join(" ");
}

Deno.test("policyReads() finds what each kind of expression looks at", async (t) => {
  const cases: Record<string, string> = {
    "true": "",
    "context.a > 1": "context.a",
    "context has a": "context.a",
    "context has a.b && context.a.b == 1": "context.a",
    'context["a b"] == 1': "context.a b",
    "context.a.context == 1": "context.a",
    "context == {a: 1}": "context",
    "[context].contains(context)": "context",
    "{context: 1}.context == 1": "",
    '{Var: "context", x: context.a}.x == 1': "context.a",
    "{Value: context}.Value == 1": "context",
    "(if context.a then context else context).b": "context context.a",
    'resource.host like "*.test"': "resource.host",
    "resource has path": "resource.path",
    'resource == Firma::Resource::"x"': "resource",
    "resource is Firma::Resource": "resource",
    "principal has name": "principal",
    'principal in Firma::Agent::"x"': "principal",
    'action in [Firma::Action::"x"]': "action",
    "!(context.a) && -context.b < 0": "context.a context.b",
    "context.a + context.b * context.c - 1 != 2": "context.a context.b context.c",
    "context.a.contains(context.b) || context.c.containsAll(context.d)":
      "context.a context.b context.c context.d",
    "context.a.containsAny(context.b) || context.c.isEmpty()": "context.a context.b context.c",
    "ip(context.a).isInRange(ip(context.b))": "context.a context.b",
    'decimal("1.0").lessThan(decimal(context.a))': "context.a",
    'resource.hasTag(context.a) && resource.getTag(context.b) == "x"':
      "context.a context.b resource",
    'context.a is Firma::Agent in Firma::Agent::"x"': "context.a",
  };
  for (const [condition, expected] of Object.entries(cases)) {
    await t.step(condition, () => assert.equal(reads(condition), expected));
  }
});

Deno.test("policyReads() looks at the scope", async (t) => {
  const cases: Record<string, string> = {
    "principal, action, resource": "",
    "principal is Firma::Agent, action, resource is Firma::Resource": "",
    'principal == Firma::Agent::"x", action, resource': "principal",
    'principal is Firma::Agent in Firma::Agent::"x", action, resource': "principal",
    'principal, action, resource in Firma::Resource::"x"': "resource",
    'principal, action == Firma::Action::"x", resource': "",
  };
  for (const [scope, expected] of Object.entries(cases)) {
    await t.step(scope, () => assert.equal(reads("true", scope), expected));
  }
});

Deno.test("policyReads() takes a shape that it does not know for reading everything", async (t) => {
  const shapes: Record<string, unknown> = {
    "a new operator": { "xor": { left: { Var: "context" }, right: { Value: 1 } } },
    "a new variable": { Var: "environment" },
    "an access of a new form": { ".": { left: { Var: "context" }, attr: { name: "a" } } },
    "two operators in one": { Value: 1, Var: "context" },
    "nothing": null,
    "no operator": {},
    "a missing side": { "==": { left: { Value: 1 } } },
  };
  for (const [name, body] of Object.entries(shapes)) {
    await t.step(name, () => {
      const policy: PolicyJson = {
        ...parse("permit (principal, action, resource);"),
        conditions: [{ kind: "when", body: body as Expr }],
      };
      const { reads } = policyReads(policy);
      assert.ok(reads.unknown && reads.wholeContext);
      assert.ok(reads.principalId && reads.resourceId && reads.actionId);
    });
  }
});

Deno.test("policyReads() measures how deep expressions nest", () => {
  const depth = (condition: string) =>
    policyReads(parse(`permit (principal, action, resource) when { ${condition} };`)).depth;
  assert.equal(depth("true"), 1);
  assert.equal(depth("!true"), 2);
  assert.equal(depth("context.a == 1 && context.b == 2 && true"), 4);
});
