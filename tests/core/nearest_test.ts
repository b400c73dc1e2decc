import assert from "node:assert/strict";
import fc from "fast-check";
import { nearest } from "../../src/core/nearest.ts";

Deno.test("nearest() finds what was meant", () => {
  const names = ["policy_dir", "issuance_policy_dir", "max_ttl", "bundle_ttl"];
  assert.equal(nearest("polcy_dir", names), "policy_dir");
  assert.equal(nearest("policy-dir", names), "policy_dir");
  assert.equal(nearest("MAX_TTL", names), "max_ttl");
  assert.equal(nearest("max_tlt", names), "max_ttl");
});

Deno.test("nearest() stays silent when nothing is close", () => {
  assert.equal(nearest("colour", ["policy_dir", "max_ttl"]), undefined);
  assert.equal(nearest("anything", []), undefined);
  assert.equal(nearest("x".repeat(101), ["x".repeat(101)]), undefined);
});

Deno.test("nearest() returns a name that is among the candidates", () => {
  fc.assert(fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (names) => {
    const found = nearest(names[0]!, names);
    if (names[0]!.length <= 100) assert.ok(found !== undefined && names.includes(found));
  }));
});
