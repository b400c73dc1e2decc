import assert from "node:assert/strict";
import { schemaToJson } from "@cedar-policy/cedar-wasm/web";
import { cedarModule, initCedar } from "../../src/policy/cedar_module.ts";
import { schemaText } from "../../src/policy/schema.ts";
import { schemaJson } from "../../src/policy/schema_json.ts";

Deno.test("schemaJson() is what Cedar makes of schemaText()", async () => {
  initCedar(await cedarModule());
  const answer = schemaToJson(schemaText());
  assert.ok(answer.type === "success");
  assert.deepEqual(schemaJson(), answer.json);
});
