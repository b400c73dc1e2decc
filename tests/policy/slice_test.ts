import assert from "node:assert/strict";
import { type ActionConstraint, policyToJson, schemaToJson } from "@cedar-policy/cedar-wasm/web";
import { actionAncestors, scopeCovers } from "../../src/policy/slice.ts";
import "./support.ts";

function ancestors(actions: string): Record<string, string[]> {
  const schema = schemaToJson(`namespace Firma { ${actions} }`);
  assert.equal(schema.type, "success");
  const entries = [...actionAncestors(schema.json)].map((
    [name, found],
  ) => [name, [...found].sort()]);
  return Object.fromEntries(entries);
}

Deno.test("actionAncestors() follows groups however far up", () => {
  assert.deepEqual(
    ancestors(`action a; action b in [a]; action c in [b]; action d in [c, e]; action e;`),
    {
      a: [],
      b: ["a"],
      c: ["a", "b"],
      d: ["a", "b", "c", "e"],
      e: [],
    },
  );
});

Deno.test("actionAncestors() ends when groups go in a circle", () => {
  const loop = { a: { memberOf: [{ id: "b" }] }, b: { memberOf: [{ id: "a" }] } };
  const found = actionAncestors({ Firma: { entityTypes: {}, actions: loop } });
  assert.deepEqual([...found.get("a")!].sort(), ["a", "b"]);
});

Deno.test("scopeCovers() matches as Cedar does", async (t) => {
  const scope = (text: string): ActionConstraint => {
    const answer = policyToJson(`permit (principal, ${text}, resource);`);
    assert.equal(answer.type, "success");
    return answer.json.action;
  };
  const groups = new Set(["b", "a"]);
  const cases: Record<string, boolean> = {
    "action": true,
    'action == Firma::Action::"c"': true,
    'action == Firma::Action::"b"': false,
    'action in Firma::Action::"c"': true,
    'action in Firma::Action::"a"': true,
    'action in Firma::Action::"d"': false,
    'action in [Firma::Action::"d", Firma::Action::"a"]': true,
    'action in [Firma::Action::"d", Firma::Action::"e"]': false,
    "action in []": false,
  };
  for (const [text, covered] of Object.entries(cases)) {
    await t.step(text, () => assert.equal(scopeCovers(scope(text), "c", groups), covered));
  }
});
