import assert from "node:assert/strict";
import { checkBundle } from "../../src/policy/check.ts";
import { isChecked, markChecked, parsedPolicies } from "../../src/policy/checked.ts";
import { PolicyEngine } from "../../src/policy/engine.ts";
import { policyToJson } from "@cedar-policy/cedar-wasm/web";
import { splitStatements } from "../../src/policy/statement.ts";
import { bundle, envelope } from "./support.ts";

const PERMIT = "permit (principal, action, resource);\n";

Deno.test("checkBundle() marks the bundles that are valid, and no others", () => {
  const good = bundle(PERMIT);
  assert.equal(isChecked(good), false);
  assert.ok(checkBundle(good).ok);
  assert.equal(isChecked(good), true);
  assert.equal(isChecked({ ...good }), false, "another object may hold another text");
  const bad = bundle("permit (principal, action, resource) when { context.nonsense };");
  assert.ok(!checkBundle(bad).ok);
  assert.equal(isChecked(bad), false);
});

// Who marks a bundle that nobody checked (a forged hint) must not gain a permission by it.
Deno.test("PolicyEngine denies by a bundle that was wrongly marked as checked", async (t) => {
  const decide = (policies: string) => {
    const forged = bundle(policies);
    markChecked(
      forged,
      splitStatements(policies).flatMap(({ text }) => {
        const answer = policyToJson(text);
        return answer.type === "success" ? [answer.json] : [];
      }),
    );
    const engine = PolicyEngine.create(forged);
    return engine.ok ? engine.value.decide(envelope("code.read")).decision : "refused";
  };
  const cases: Readonly<Record<string, readonly [policies: string, said: string]>> = {
    "control: a valid bundle": [PERMIT, "allow"],
    "a forbid with a type error": [
      `${PERMIT}forbid (principal, action, resource) when { context.risk_score == context.params.x };`,
      "deny",
    ],
    "a permit with a type error": [
      "permit (principal, action, resource) when { context.params > 1 };",
      "deny",
    ],
    "a forbid that reads what nobody supplies": [
      `${PERMIT}forbid (principal, action, resource) when { context.nonsense };`,
      "refused",
    ],
    "text that is no policy": [`${PERMIT}forbid (principal`, "refused"],
    "no policy": ["", "refused"],
  };
  for (const [name, [policies, said]] of Object.entries(cases)) {
    await t.step(name, () => assert.equal(decide(policies), said));
  }
});

Deno.test("PolicyEngine reads a bundle itself whose parsed form is not whole", () => {
  const both = bundle(`${PERMIT}@id("no") forbid (principal, action, resource);`);
  assert.ok(checkBundle(both).ok);
  const [first] = parsedPolicies(both)!;
  for (const parsed of [[], [first!], [first!, first!, first!]]) {
    const half = { ...both };
    markChecked(half, parsed);
    const engine = PolicyEngine.create(half);
    assert.ok(engine.ok);
    assert.deepEqual(engine.value.decide(envelope("code.read")).policyIds, ["no"]);
  }
});
