import assert from "node:assert/strict";
import { PolicyEngine } from "../../src/policy/engine.ts";
import { bundle, engine, envelope, on } from "./support.ts";

const PERMIT_ALL = `@id("all") permit (principal, action, resource);`;

Deno.test("decide() denies what nothing permits, and says so", () => {
  const decision = engine(`permit ${on("code.read")};`).decide(envelope("code.write"));
  assert.deepEqual(decision, {
    decision: "deny",
    reason: "PolicyDenied",
    policyIds: [],
    errors: [],
  });
});

Deno.test("decide() names the policies that determined the decision", () => {
  const subject = engine({
    "a.cedar": `permit ${on("code.read")}; permit (principal, action, resource);`,
    "b.cedar": `@id("no-writing") forbid ${on("code.write")};`,
  });
  assert.deepEqual(subject.decide(envelope("code.read")).policyIds, ["a.cedar#1", "a.cedar#2"]);
  assert.deepEqual(subject.decide(envelope("code.write")).policyIds, ["no-writing"]);
});

Deno.test("decide() lets a policy on a parent class cover its finer classes", () => {
  const subject = engine(`permit ${on("communication.external.send")};`);
  for (const name of ["communication.external.send", "model.inference", "telemetry.send"]) {
    assert.equal(subject.decide(envelope(name)).decision, "allow", name);
  }
  const exact =
    `permit (principal, action == Firma::Action::"communication.external.send", resource);`;
  assert.equal(engine(exact).decide(envelope("model.inference")).decision, "deny");
});

Deno.test("decide() tells conditions the group of an action", () => {
  const subject = engine(
    `permit (principal, action, resource)
     when { action in Firma::Action::"communication.external.send" };`,
  );
  assert.equal(subject.decide(envelope("model.inference")).decision, "allow");
  assert.equal(subject.decide(envelope("code.read")).decision, "deny");
});

Deno.test("decide() denies a class that the schema does not have", () => {
  const decision = engine(PERMIT_ALL).decide(envelope("no.such.class"));
  assert.equal(decision.decision, "deny");
  assert.equal(decision.reason, "FailClosed");
});

Deno.test("decide() denies when a forbid overflows, which Cedar itself would allow", () => {
  const policies = `${PERMIT_ALL}
    @id("limit") forbid ${on("payment.transfer")}
    when { context.transfer_amount + 9223372036854775807 > 0 };`;
  const subject = engine(policies);
  const decision = subject.decide(
    envelope("payment.transfer", { attributes: { transfer_amount: 1 } }),
  );
  assert.equal(decision.decision, "deny");
  assert.equal(decision.reason, "FailClosed");
  assert.deepEqual(decision.policyIds, ["limit"]);
  assert.match(decision.errors[0]!, /overflow/);
  // Control: the same policy, evaluated without overflow, decides by itself.
  const fine = engine(policies.replace("+ 9223372036854775807 > 0", "> 100"));
  const small = envelope("payment.transfer", { attributes: { transfer_amount: 1 } });
  const large = envelope("payment.transfer", { attributes: { transfer_amount: 101 } });
  assert.equal(fine.decide(small).decision, "allow");
  assert.equal(fine.decide(large).reason, "PolicyDenied");
});

Deno.test("decide() denies when a permit overflows beside one that holds", () => {
  const subject = engine(`${PERMIT_ALL}
    permit (principal, action, resource)
    when { context.action_count * 9223372036854775807 > 0 };`);
  const calls = (count: number) => envelope("code.read", { metadata: { action_count: count } });
  assert.equal(subject.decide(calls(2)).reason, "FailClosed");
  assert.equal(subject.decide(calls(1)).decision, "allow");
});

Deno.test("decide() denies amounts that a double cannot hold exactly", async (t) => {
  const subject = engine(PERMIT_ALL);
  const amount = (value: number) =>
    subject.decide(envelope("payment.transfer", { attributes: { transfer_amount: value } }));
  for (const value of [2 ** 53, -(2 ** 53), 2 ** 63, 1.5, NaN, Infinity, -Infinity]) {
    await t.step(String(value), () => assert.equal(amount(value).reason, "FailClosed"));
  }
  for (const value of [2 ** 53 - 1, -(2 ** 53) + 1, 0, -0]) {
    await t.step(String(value), () => assert.equal(amount(value).decision, "allow"));
  }
});

Deno.test("decide() denies a payment whose amount nobody measured, when a policy reads it", () => {
  const subject = engine(`${PERMIT_ALL}
    forbid (principal, action, resource) when { context.transfer_amount > 100 };`);
  assert.equal(subject.decide(envelope("payment.transfer")).reason, "FailClosed");
  const measured = envelope("payment.transfer", { attributes: { transfer_amount: 7 } });
  assert.equal(subject.decide(measured).decision, "allow");
  // A call that moves no money moves an amount of zero.
  assert.equal(subject.decide(envelope("code.read")).decision, "allow");
});

Deno.test("decide() denies attributes of the wrong type that a policy reads", () => {
  const subject = engine(`${PERMIT_ALL}
    forbid (principal, action, resource)
    when { context has git_ref && context.git_ref == "refs/heads/main" };`);
  const ref = (value: string | number | boolean | string[]) =>
    subject.decide(envelope("code.write", { attributes: { git_ref: value } }));
  assert.equal(ref("refs/heads/main").reason, "PolicyDenied");
  assert.equal(ref("refs/heads/topic").decision, "allow");
  for (const value of [7, true, ["refs/heads/main"]]) assert.equal(ref(value).reason, "FailClosed");
});

Deno.test("decide() denies text with half a surrogate pair, which Cedar cannot read", () => {
  const subject = engine(`${PERMIT_ALL}
    forbid (principal, action, resource)
    when { resource has path && resource.path like "/admin*" };`);
  const decide = (path: string) => subject.decide(envelope("code.read", { path }));
  assert.equal(decide("/\ud800").reason, "FailClosed");
  assert.equal(decide("/\ud83d\ude00").decision, "allow");
  assert.equal(decide("/admin/keys").reason, "PolicyDenied");
  assert.equal(decide("/\ud83d\ude00").decision, "allow", "the engine goes on working");
});

Deno.test("decide() ignores attributes that the schema does not have", () => {
  const subject = engine(`permit (principal, action, resource) when { context == context };`);
  const attributes = { made_up: "x", ["__proto__"]: "y" };
  assert.equal(subject.decide(envelope("code.read", { attributes })).decision, "allow");
});

Deno.test("decide() never takes an inherited property for an attribute", () => {
  const subject = engine(`permit (principal, action, resource) when { context has git_ref };`);
  const attributes = Object.create({ git_ref: "refs/heads/main" });
  assert.equal(subject.decide(envelope("code.write", { attributes })).decision, "deny");
});

Deno.test("decide() keeps every policy, whatever it is called", () => {
  const subject = engine(`${PERMIT_ALL}
    @id("__proto__") forbid ${on("code.write")};
    @id("constructor") forbid ${on("code.merge")};`);
  assert.deepEqual(subject.decide(envelope("code.write")).policyIds, ["__proto__"]);
  assert.deepEqual(subject.decide(envelope("code.merge")).policyIds, ["constructor"]);
  assert.equal(subject.decide(envelope("code.read")).decision, "allow");
});

Deno.test("decide() reads session history", () => {
  const subject = engine(`${PERMIT_ALL}
    forbid ${on("communication.external.send")}
    when { context.prior_action_classes.contains("credential.read") || context.deny_count > 3 };`);
  const send = (metadata: Record<string, unknown>) =>
    subject.decide(envelope("communication.external.send", { metadata })).decision;
  assert.equal(send({}), "allow");
  assert.equal(send({ prior_action_classes: ["code.read", "credential.read"] }), "deny");
  assert.equal(send({ deny_count: 4 }), "deny");
});

Deno.test("decide() tells a step-up and a deferral from a flat refusal", async (t) => {
  const step = `@step_up("ask") forbid ${on("code.write")};`;
  const defer = `@defer("500") forbid ${on("code.write")};`;
  const modify = `@modify("redact_header:x-debug") forbid ${on("code.write")};`;
  const flat = `forbid ${on("code.write")};`;
  const cases: Record<string, [string, string]> = {
    "step-up alone": [step, "StepUpRequired"],
    "deferral alone": [defer, "Deferred"],
    "modification alone": [modify, "PolicyDenied"],
    "step-up beats deferral and modification": [modify + defer + step, "StepUpRequired"],
    "deferral beats modification": [modify + defer, "Deferred"],
    "a flat forbid beats all": [step + defer + flat, "PolicyDenied"],
  };
  for (const [name, [forbids, reason]] of Object.entries(cases)) {
    await t.step(name, () => {
      const decision = engine(PERMIT_ALL + forbids).decide(envelope("code.write"));
      assert.equal(decision.decision, "deny");
      assert.equal(decision.reason, reason);
    });
  }
});

Deno.test("create() refuses a policy that reads what nothing supplies", () => {
  const given = bundle(`forbid (principal, action, resource)
    when { context has made_up && context.made_up };`);
  const schema = given.schema.replace("session_id: String,", "session_id: String, made_up?: Bool,");
  const created = PolicyEngine.create({ ...given, schema });
  assert.ok(!created.ok);
  assert.equal(created.error[0]!.code, "POLICY_UNKNOWN_INPUT");
  const control = PolicyEngine.create({ ...bundle(PERMIT_ALL), schema });
  assert.ok(control.ok);
});

Deno.test("a later engine does not disturb an earlier one", () => {
  const first = engine(PERMIT_ALL, { memoCapacity: 0 });
  const second = engine(`forbid (principal, action, resource);`, { memoCapacity: 0 });
  assert.equal(first.decide(envelope("code.read")).decision, "allow");
  assert.equal(second.decide(envelope("code.read")).decision, "deny");
});
