import assert from "node:assert/strict";
import { isAgentName } from "../../src/core/agent_name.ts";
import { newId } from "../../src/core/id.ts";

Deno.test("isAgentName() takes words, and nothing that could be an identifier or a path", () => {
  for (const name of ["builder", "ci-2", "a", "Team.Bot_7", "x".repeat(64)]) {
    assert.ok(isAgentName(name), name);
  }
  const others = ["", "-x", "x-", "a b", "a/b", "..", "a\u0000", "bücher", "x".repeat(65)];
  for (const name of [...others, newId("agt"), newId("ses"), newId("agt").toUpperCase()]) {
    assert.ok(!isAgentName(name), name);
  }
});
