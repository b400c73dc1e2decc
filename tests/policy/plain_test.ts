import assert from "node:assert/strict";
import { plainDecider } from "../../src/policy/plain.ts";
import { compileBundle } from "../../src/policy/compile.ts";
import { bundle, envelope } from "./support.ts";

function decider(...texts: string[]) {
  const { policies, errors } = compileBundle(bundle({ "p.cedar": texts.join("\n") }));
  assert.deepEqual(errors, []);
  return plainDecider(policies);
}

const PERMIT = "permit (principal, action, resource);";
const METADATA = `forbid (principal, action, resource)
when { resource has host && resource.host == "169.254.169.254" };`;

Deno.test("plainDecider() decides by host and method", () => {
  const decide = decider(PERMIT, METADATA)!;
  assert.equal(decide(envelope("code.read", { host: "a.test" }))?.decision, "allow");
  const denied = decide(envelope("code.read", { host: "169.254.169.254" }));
  assert.deepEqual([denied?.decision, denied?.policyIds], ["deny", ["p.cedar#2"]]);
});

Deno.test("plainDecider() names every policy that permits, and none where nothing does", () => {
  const get =
    'permit (principal, action, resource) when { resource has method && resource.method == "GET" };';
  const said = decider(PERMIT, get)!(envelope("code.read", { method: "GET" }));
  assert.deepEqual(said?.policyIds, ["p.cedar#1", "p.cedar#2"]);
  const none = decider(get)!(envelope("code.read", { method: "POST" }));
  assert.deepEqual([none?.decision, none?.policyIds], ["deny", []]);
});

for (
  const [what, text] of Object.entries({
    "the context": "permit (principal, action, resource) when { context.deny_count < 3 };",
    "a path":
      'permit (principal, action, resource) when { resource has path && resource.path == "/" };',
    "a pattern":
      'permit (principal, action, resource) when { resource has host && resource.host like "*.test" };',
    "a principal": 'permit (principal == Firma::Agent::"agt_a", action, resource);',
    "a resource": 'permit (principal, action, resource == Firma::Resource::"a.test/");',
    "a type": "permit (principal, action, resource is Firma::Resource);",
    "two attributes":
      "permit (principal, action, resource) when { resource has host && resource has method && resource.host == resource.method };",
    "a choice":
      "permit (principal, action, resource) when { if resource has host then true else false };",
  })
) {
  Deno.test(`plainDecider() leaves to Cedar what looks at ${what}`, () => {
    assert.equal(decider(PERMIT, text), undefined);
    assert(decider(PERMIT, METADATA) !== undefined);
  });
}

Deno.test("plainDecider() leaves to Cedar what a call hides or what is no text", () => {
  const decide = decider(PERMIT, METADATA)!;
  const given = envelope("code.read", { host: "a.test" });
  const { intent } = given;
  assert.equal(decide({ ...given, intent: { ...intent, hidden: ["resource.path"] } }), undefined);
  const broken = { ...intent.resource, host: "\ud800" };
  assert.equal(decide({ ...given, intent: { ...intent, resource: broken } }), undefined);
  assert.equal(decide(given)?.decision, "allow");
});
