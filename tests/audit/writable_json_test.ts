import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson } from "../../src/audit/canonical_json.ts";
import { writableJson } from "../../src/audit/writable_json.ts";

Deno.test("writableJson() makes anything writable", () => {
  const anything = fc.anything({
    withBigInt: true,
    withNullPrototype: true,
    withSparseArray: true,
    withMap: true,
    withTypedArray: true,
    stringUnit: "binary",
  });
  fc.assert(fc.property(anything, (value) => {
    canonicalJson(writableJson([value]));
  }));
});

Deno.test("writableJson() survives cycles, depth and length", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const text = canonicalJson(writableJson({
    cyclic,
    long: "x".repeat(1_000_000),
    many: new Array(100_000).fill(0),
  }));
  assert.match(text, /nested too deep/);
  assert.match(text, /\(1000000 characters\)/);
  assert.match(text, /\(100000 items\)/);
  assert.ok(text.length < 100_000);
});

Deno.test("writableJson() changes nothing that has a canonical form", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
    assert.equal(canonicalJson(writableJson(value)), canonicalJson(value));
  }));
});

Deno.test("writableJson() replaces lone surrogates", () => {
  assert.deepEqual(writableJson({ "a\ud800": "b\udead" }), { "a\ufffd": "b\ufffd" });
});
