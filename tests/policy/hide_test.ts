import assert from "node:assert/strict";
import fc from "fast-check";
import { policyToJson } from "@cedar-policy/cedar-wasm/web";
import { hidePolicy } from "../../src/policy/hide.ts";
import { bundle, engine, envelope, on } from "./support.ts";
import { PolicyEngine } from "../../src/policy/engine.ts";

const HIDDEN = ["git_owner", "git_repo"];

function hiding(hidden: readonly string[], attributes = {}) {
  const plain = envelope("code.write", { attributes });
  return { ...plain, intent: { ...plain.intent, hidden } };
}

function decide(condition: string, hidden: readonly string[], attributes = {}): string {
  const policies = `permit ${on("code.write")};\n@id("x") forbid ${on("code.write")} ${condition};`;
  const { decision, reason } = engine(policies).decide(hiding(hidden, attributes));
  return `${decision} ${reason}`.trim();
}

const CONDITIONS: Record<string, readonly [condition: string, expected: string]> = {
  "compares it": ['when { context has git_repo && context.git_repo == "a" }', "deny FailClosed"],
  "compares it for another value": [
    'when { context has git_repo && context.git_repo != "a" }',
    "deny FailClosed",
  ],
  "reads it in brackets": [
    'when { context has "git_repo" && context["git_repo"] like "a*" }',
    "deny FailClosed",
  ],
  "reads it over several lines": [
    'when { context has git_repo && context // here\n  . git_repo == "a" }',
    "deny FailClosed",
  ],
  "looks for it among others": [
    'when { context has git_repo && ["a", "b"].contains(context.git_repo) }',
    "deny FailClosed",
  ],
  "asks whether it is there": ["unless { context has git_repo }", "allow"],
  "does not get that far": [
    'when { context has git_forced && context has git_repo && context.git_repo == "a" }',
    "allow",
  ],
  "reads something else": ['when { context has git_ref && context.git_ref == "a" }', "allow"],
  "reads everything": ['when { context.params like "*vault*" }', "deny FailClosed"],
  "holds the words in a text": [
    'when { context has git_repo && context.session_id == "context.git_repo" }',
    "deny FailClosed",
  ],
};
for (const [what, [condition, expected]] of Object.entries(CONDITIONS)) {
  Deno.test(`decide() answers ${expected} to a hidden repository when a policy ${what}`, () => {
    assert.equal(decide(condition, HIDDEN), expected);
  });
}

Deno.test("decide() goes by the name of a repository where the call does not hide it", () => {
  const [condition] = CONDITIONS["compares it"]!;
  assert.equal(decide(condition, [], { git_repo: "a" }), "deny PolicyDenied");
  assert.equal(decide(condition, [], { git_repo: "b" }), "allow");
  assert.equal(decide(condition, HIDDEN, { git_repo: "b" }), "deny FailClosed");
});

Deno.test("decide() says which attributes a call hides, and whose policy looks at them", () => {
  const policies = `permit ${on("code.write")};
@id("vault") forbid ${on("code.write")} when { context has git_repo && context.git_repo == "a" };`;
  const { errors, policyIds } = engine(policies).decide(hiding(HIDDEN));
  assert.deepEqual(errors, ['Cannot evaluate policy "vault": the call hides git_repo']);
  assert.deepEqual(policyIds, ["vault"]);
});

Deno.test("decide() remembers a hidden repository apart from an absent one", () => {
  const policies = `permit ${on("code.write")};
forbid ${on("code.write")} when { context has git_repo && context.git_repo == "a" };`;
  const created = PolicyEngine.create(bundle(policies));
  assert.ok(created.ok);
  for (let round = 0; round < 2; round++) {
    assert.equal(created.value.decide(hiding([])).decision, "allow");
    assert.equal(created.value.decide(hiding(HIDDEN)).decision, "deny");
  }
});

// Whatever a policy compares a hidden name with, no value of it may be allowed by accident.
Deno.test("decide() allows a call that hides a name only if it allows it for every name", () => {
  const names = ["a", "b", "c"];
  const leaf = fc.oneof(
    fc.constantFrom(...names).map((name) => `context.git_repo == "${name}"`),
    fc.constantFrom(...names).map((name) => `context.git_repo like "${name}*"`),
    fc.constant("context has git_forced"),
    fc.constant("true"),
  );
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      leaf,
      tie("condition").map((inner) => `!(${inner})`),
      fc.tuple(tie("condition"), fc.constantFrom("&&", "||"), tie("condition"))
        .map(([left, op, right]) => `(${left} ${op} ${right})`),
    ),
  }));
  fc.assert(
    fc.property(condition, fc.constantFrom("permit", "forbid"), (text, effect) => {
      const policies = `permit ${on("code.read")};
permit ${on("code.write")} when { ${effect === "forbid"} };
${effect} ${on("code.write")} when { context has git_repo && (${text}) };`;
      const subject = PolicyEngine.create(bundle(policies), { memoCapacity: 0 });
      assert.ok(subject.ok, JSON.stringify(subject));
      if (subject.value.decide(hiding(HIDDEN)).decision === "deny") return;
      for (const git_repo of names) {
        assert.equal(subject.value.decide(hiding([], { git_repo })).decision, "allow", text);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("hidePolicy() gives up where its patterns do not find what Cedar reads", () => {
  const text = 'permit (principal, action, resource) when { context["git\\u{5f}repo"] == "a" };';
  const answer = policyToJson(text);
  assert.ok(answer.type === "success");
  assert.equal(hidePolicy(text, answer.json, new Set(HIDDEN)), undefined);
});
