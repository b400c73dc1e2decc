import assert from "node:assert/strict";
import { newId } from "../../src/core/id.ts";
import { digestOf } from "../../src/config/load.ts";
import type { OperatorFile } from "../../src/config/operator_files.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { fileRuleOf } from "../../src/run/file_rule.ts";
import type { FileRule } from "../../src/sandbox/file_rule.ts";

const AGENT = newId("agt");
const PARSED = parseConfig(
  `[sidecar.authority]\nagent_id = "${AGENT}"\n`,
  "/p/firma.toml",
  { projectDataDir: "/d", auditFile: "/audit.jsonl", authorityKey: "/k" },
);
assert.ok(PARSED.ok);
const CONFIG = PARSED.value;
const PERMIT = `@id("all") permit (principal, action, resource);\n`;
const forbid = (id: string, access: string, when: string, principal = "principal") =>
  `@id("${id}") forbid (${principal}, action == Firma::Action::"filesystem.${access}", resource)
   when { ${when} };\n`;

async function ruleOf(text: string, agentId = AGENT) {
  const path = "/p/policies/a.cedar";
  const files: OperatorFile[] = [
    { kind: "policy", path, name: "policies/a.cedar", text, digest: digestOf(text) },
  ];
  return await fileRuleOf({ config: CONFIG, files, agentId });
}

async function rule(text: string, agentId = AGENT): Promise<FileRule> {
  const found = await ruleOf(text, agentId);
  assert.ok(found.ok, JSON.stringify(found));
  assert.ok(found.value !== undefined);
  return found.value;
}

Deno.test("fileRuleOf() is no rule where nothing forbids files by their classes", async () => {
  const found = await ruleOf(`${PERMIT}@id("no") forbid (principal, action, resource);`);
  assert.deepEqual(found, { ok: true, value: undefined });
});

Deno.test("fileRuleOf() names the policies that forbid an access to a path, and no other", async () => {
  const secrets = 'resource has path && resource.path like "*/secrets"';
  const ask = await rule(
    PERMIT + forbid("secrets", "read", secrets) +
      forbid("mounts", "write", `context.raw_transport == "mount"`) +
      `@id("everything") forbid (principal, action, resource);`,
  );
  assert.deepEqual(ask("read", "/home/a/secrets"), ["secrets"]);
  assert.deepEqual(ask("read", "/home/a/secrets2"), []);
  assert.deepEqual(ask("write", "/home/a"), ["mounts"]);
});

Deno.test("fileRuleOf() takes what nothing permits for what nobody forbids", async () => {
  const ask = await rule(forbid("never", "read", "false"));
  assert.deepEqual([ask("read", "/a"), ask("write", "/a")], [[], []]);
});

Deno.test("fileRuleOf() knows the agent, and forbids where only the Authority does", async () => {
  const text = PERMIT + forbid("mine", "write", "true", `principal == Firma::Agent::"${AGENT}"`);
  assert.deepEqual((await rule(text))("write", "/a"), ["mine"]);
  assert.deepEqual((await rule(text, newId("agt")))("write", "/a"), []);
  const found = await fileRuleOf({
    config: CONFIG,
    files: [{ kind: "policy", path: "/p/a.cedar", name: "a.cedar", text, digest: "" }],
    agentId: undefined,
  });
  assert.ok(found.ok);
  assert.deepEqual(found.value?.("write", "/a"), ["a.cedar, which names an agent"]);
});

// Attack: a policy that cannot be evaluated is left out by Cedar, and would forbid nothing.
Deno.test("fileRuleOf() forbids where a policy cannot be asked", async () => {
  const ask = await rule(
    PERMIT + forbid("broken", "write", `9223372036854775807 + context.risk_score > 0`),
  );
  assert.deepEqual(ask("write", "/a"), ["broken"]);
});

Deno.test("fileRuleOf() says what is wrong with policies that Cedar does not take", async () => {
  const found = await ruleOf(PERMIT + forbid("typo", "write", "context.no_such == 1"));
  assert.ok(!found.ok);
  assert.match(found.error[0]!.message, /no_such/);
});
