import assert from "node:assert/strict";
import fc from "fast-check";
import { policyToJson, validate } from "@cedar-policy/cedar-wasm/web";
import { packNames, readPack } from "../../src/config/packs.ts";
import { ACTION_CLASSES } from "../../src/core/action_class.ts";
import { unwrap } from "../../src/core/result.ts";
import { representativeSchema } from "../../src/policy/representative.ts";
import { schemaJson } from "../../src/policy/schema_json.ts";
import { splitStatements } from "../../src/policy/statement.ts";
import "./support.ts";

const SCHEMA = schemaJson();

function parse(text: string) {
  const answer = policyToJson(text);
  if (answer.type === "failure") assert.fail(`${text}: ${JSON.stringify(answer.errors)}`);
  return answer.json;
}

function few(texts: readonly string[]) {
  return representativeSchema(SCHEMA, texts.map(parse));
}

/** Whether policies are valid and unsuspicious. */
function isClean(schema: typeof SCHEMA, texts: readonly string[]): boolean {
  const staticPolicies = Object.fromEntries(texts.map((text, index) => [index, text]));
  const answer = validate({ schema, policies: { staticPolicies } });
  if (answer.type === "failure") return false;
  return answer.validationErrors.length + answer.validationWarnings.length === 0;
}

const names = fc.constantFrom(
  "code.read",
  "communication.external.send",
  "model.inference",
  "telemetry.send",
  "code.raed",
);
const action = names.map((name) => `Firma::Action::"${name}"`);
const scope = fc.oneof(
  fc.constant("action"),
  action.map((one) => `action == ${one}`),
  fc.array(action, { minLength: 1, maxLength: 3 }).map((all) => `action in [${all.join(", ")}]`),
);
const test = fc.oneof(
  fc.constantFrom(
    "true",
    "false",
    "context.action_count > 1",
    "context.action_count",
    'context.action_count == "x"',
    "context.nothing > 1",
    'resource has host && resource.host == "a"',
    'resource.host == "a"',
  ),
  action.map((one) => `action == ${one}`),
  action.map((one) => `action != ${one}`),
  action.map((one) => `action in ${one}`),
);
const policy = fc.tuple(scope, fc.array(test, { minLength: 1, maxLength: 4 })).map((
  [scope, tests],
) => `permit (principal, ${scope}, resource) when { ${tests.join(" && ")} };`);

Deno.test("representativeSchema() changes nothing about what is valid", () => {
  let clean = 0;
  fc.assert(
    fc.property(fc.array(policy, { minLength: 1, maxLength: 3 }), (texts) => {
      const expected = isClean(SCHEMA, texts);
      if (expected) clean++;
      assert.equal(isClean(few(texts), texts), expected, texts.join("\n"));
    }),
    { numRuns: 100 },
  );
  assert.ok(clean > 3, "some of them are valid");
});

// Attack: a fault that shows for a child of a named class alone, behind tests of the action.
Deno.test("representativeSchema() keeps a child of each group that policies name", () => {
  const text =
    `permit (principal, action in [Firma::Action::"communication.external.send"], resource)
when { action == Firma::Action::"communication.external.send" || context.nothing > 1 };`;
  assert.equal(isClean(SCHEMA, [text]), false);
  assert.equal(isClean(few([text]), [text]), false);
});

Deno.test("representativeSchema() finds names however they are spelt", () => {
  const text = 'permit (principal, action == Firma::Action::"code\\u{2e}read", resource);';
  assert.ok(Object.hasOwn(few([text]).Firma!.actions, "code.read"));
  assert.equal(isClean(few([text]), [text]), true);
});

Deno.test("representativeSchema() is small where policies name little", () => {
  const count = (texts: readonly string[]) => Object.keys(few(texts).Firma!.actions).length;
  assert.ok(count(["permit (principal, action, resource);"]) <= 2);
  const postures = packNames("posture").flatMap((name) =>
    splitStatements(unwrap(readPack("posture", name))).map(({ text }) => text)
  );
  assert.ok(count(postures) < ACTION_CLASSES.length);
  assert.ok(isClean(few(postures), postures));
});
