import assert from "node:assert/strict";
import { policyToJson } from "@cedar-policy/cedar-wasm/web";
import { foldPolicy } from "../../src/policy/fold.ts";
import { engine, envelope } from "./support.ts";

function fold(text: string): string | undefined {
  const answer = policyToJson(text);
  assert.equal(answer.type, "success", text);
  return foldPolicy(text, answer.json);
}

Deno.test("foldPolicy() drops the action constraint and reads the resource from the context", () => {
  assert.equal(
    fold(`permit (principal, action in [Firma::Action::"x", Firma::Action::"y"], resource)
      when { resource has host && resource.host == "a" && context.n > 9007199254740993 };`),
    `permit (principal, action, resource)
      when { context has "resource.host" && context["resource.host"] == "a" && context.n > 9007199254740993 };`,
  );
  assert.equal(
    fold(
      `@id("x") forbid(principal is A,action==Firma::Action::"x",resource) unless { action == Firma::Action::"y" };`,
    ),
    `@id("x") forbid(principal is A,action,resource) unless { action == Firma::Action::"y" };`,
  );
  assert.equal(
    fold(`permit (principal, action, resource);`),
    `permit (principal, action, resource);`,
  );
});

Deno.test("foldPolicy() leaves alone what it cannot fold exactly", async (t) => {
  const hard = [
    `permit (principal, action, resource) when { context.note == "resource.host" };`,
    `permit (principal, action, resource) when { context.resource.host == 1 };`,
    `permit (principal, action, resource) when { resource["host"] == "a" };`,
    `permit (principal, action, resource) when { resource has "host" };`,
    `@note("permit (a, action == b, c)") permit (principal, action == Firma::Action::"x", resource);`,
    `permit (principal == A::"a,b", action == Firma::Action::"x", resource);`,
    `permit (principal, action == Firma::Action::"x,y", resource);`,
    `permit (principal, action in [Firma::Action::"x]"], resource);`,
  ];
  for (const text of hard) await t.step(text, () => assert.equal(fold(text), undefined));
});

Deno.test("decide() decides policies that cannot be folded as well", () => {
  const subject = engine(`
    @note("permit (a, action == b, c)")
    permit (principal, action in [Firma::Action::"communication.external.send"], resource)
    when { resource["host"] == "a.test" && context.last_resource != "resource.host" };`
    .replace(`resource["host"]`, `resource has "host" && resource["host"]`));
  const decide = (actionClass: string, host: string) =>
    subject.decide(envelope(actionClass, { host })).decision;
  assert.equal(decide("model.inference", "a.test"), "allow");
  assert.equal(decide("model.inference", "b.test"), "deny");
  assert.equal(decide("code.read", "a.test"), "deny");
});

Deno.test("decide() compares with integers beyond 2^53 exactly", () => {
  // Rounded to the nearest double, 9007199254740993 would be 9007199254740992.
  const subject = engine(
    `permit (principal, action, resource)
     when { context.action_count + 9007199254740992 == 9007199254740993 };`,
  );
  const calls = (count: number) => envelope("code.read", { metadata: { action_count: count } });
  assert.equal(subject.decide(calls(1)).decision, "allow");
  assert.equal(subject.decide(calls(0)).decision, "deny");
});
