import assert from "node:assert/strict";
import { callCedar } from "../../src/policy/call_cedar.ts";
import { checkBundle } from "../../src/policy/check.ts";
import { bundle, engine, envelope } from "./support.ts";

// Alone in its file: what it pins lasts for the rest of the process.
Deno.test("after a trap nothing is decided any more, and nothing is allowed", () => {
  const policies = "permit (principal, action, resource);";
  const subject = engine(policies, { memoCapacity: 0 });
  const call = envelope("code.read");
  assert.equal(subject.decide(call).decision, "allow");
  // An ordinary exception is no trap.
  assert.throws(() => callCedar(() => JSON.parse("{")), SyntaxError);
  assert.equal(subject.decide(call).decision, "allow");
  const trap = () => {
    throw new WebAssembly.RuntimeError("memory access out of bounds");
  };
  assert.throws(() => callCedar(trap), WebAssembly.RuntimeError);
  const decision = subject.decide(call);
  assert.equal(decision.decision, "deny");
  assert.equal(decision.reason, "FailClosed");
  assert.match(decision.errors[0]!, /earlier fault/);
  const checked = checkBundle(bundle(policies));
  assert.ok(!checked.ok);
  assert.equal(checked.error[0]!.code, "POLICY_ENGINE_FAULT");
});
