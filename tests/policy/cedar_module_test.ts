import { policyToJson } from "@cedar-policy/cedar-wasm/web";
import assert from "node:assert/strict";
import { callCedar, unlessBroken } from "../../src/policy/call_cedar.ts";
import { offerCedar, readCedar } from "../../src/policy/cedar_module.ts";

// In one test, because Cedar starts once in a thread.
Deno.test("offerCedar() has Cedar start with the first call, and no call pass before it can", () => {
  const ask = () => callCedar(() => policyToJson("permit (principal, action, resource);"));
  assert.throws(ask, "nobody offered it");
  let reads = 0;
  let isThere = false;
  offerCedar(() => {
    reads++;
    if (!isThere) throw new Deno.errors.NotFound();
    return readCedar();
  });
  offerCedar(() => assert.fail("a second offer does nothing"));
  assert.equal(unlessBroken("found without it"), "found without it");
  assert.equal(reads, 0);
  assert.throws(ask, Deno.errors.NotFound);
  isThere = true;
  assert.equal(ask().type, "success");
  assert.equal(ask().type, "success");
  assert.equal(reads, 2);
});
