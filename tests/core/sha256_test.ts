import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { sha256 } from "../../src/core/sha256.ts";

function trusted(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

Deno.test("sha256() gives the digests that the standard publishes", () => {
  assert.equal(
    sha256("abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assert.equal(
    sha256("a".repeat(1_000_000)),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  );
});

Deno.test("sha256() agrees with OpenSSL at each length around its blocks", () => {
  for (let length = 0; length <= 260; length++) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    assert.equal(sha256(bytes), trusted(bytes), `${length} bytes`);
  }
});

Deno.test("sha256() agrees with OpenSSL on any bytes, and on text as UTF-8", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
      assert.equal(sha256(bytes), trusted(bytes));
      assert.equal(sha256(new Uint8Array([0, ...bytes]).subarray(1)), trusted(bytes));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(sha256(text), trusted(text));
    }),
  );
});
