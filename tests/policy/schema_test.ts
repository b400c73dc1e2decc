import assert from "node:assert/strict";
import { checkParseSchema, schemaToJson } from "@cedar-policy/cedar-wasm/web";
import { ACTION_CLASSES } from "../../src/core/action_class.ts";
import { CONTEXT_ATTRIBUTES } from "../../src/policy/context.ts";
import { schemaText } from "../../src/policy/schema.ts";
import { bundle } from "./support.ts";

Deno.test("policies/firma.cedarschema holds what schemaText() makes", () => {
  const file = Deno.readTextFileSync(new URL("../../policies/firma.cedarschema", import.meta.url));
  assert.equal(file, schemaText(), "run: deno run -A scripts/gen_schema.ts");
});

Deno.test("schemaText() is a schema that Cedar accepts", () => {
  assert.deepEqual(checkParseSchema(bundle("").schema), { type: "success" });
});

Deno.test("schemaText() has every action class, in the group of its parent", () => {
  const answer = schemaToJson(schemaText());
  assert.equal(answer.type, "success");
  const actions = answer.json.Firma!.actions;
  assert.deepEqual(Object.keys(actions).sort(), ACTION_CLASSES.map(({ name }) => name).sort());
  for (const { name, parent } of ACTION_CLASSES) {
    const groups = (actions[name]!.memberOf ?? []).map(({ id }) => id);
    assert.deepEqual(groups, parent === undefined ? [] : [parent], name);
  }
});

Deno.test("schemaText() has every context attribute, required or not as the table says", () => {
  const answer = schemaToJson(schemaText());
  assert.equal(answer.type, "success");
  const context = answer.json.Firma!.commonTypes!.EnforcementContext!;
  assert.ok("attributes" in context);
  const attributes = context.attributes as Record<string, { required?: boolean }>;
  assert.deepEqual(
    Object.entries(attributes).map(([name, { required }]) => [name, required ?? true]).sort(),
    CONTEXT_ATTRIBUTES.map(({ name, required }) => [name, required]).sort(),
  );
});
