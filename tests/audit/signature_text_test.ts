import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeSignature, SIGNATURE_CHARACTERS } from "../../src/audit/signature_text.ts";

const encoder = new TextEncoder();

/** What the engine makes of it: the same bytes, written in the one way that there is. */
function expected(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.length === 64 && bytes.toBase64() === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

const signatures = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => bytes.toBase64());

Deno.test("decodeSignature() reads 64 bytes in base64, wherever they stand", () =>
  fc.assert(fc.property(signatures, fc.nat(9), fc.nat(9), (text, before, after) => {
    const bytes = encoder.encode("A".repeat(before) + text + "A".repeat(after));
    assert.deepEqual(decodeSignature(bytes, before)?.slice(), expected(text));
  })));

Deno.test("decodeSignature() takes what is almost a signature as the engine does", () =>
  fc.assert(
    fc.property(signatures, fc.nat(87), fc.constantFrom(...'=AQgw/+-_ \n"é'), (text, at, other) => {
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      const bytes = encoder.encode(changed);
      const whole = bytes.length === SIGNATURE_CHARACTERS ? expected(changed) : undefined;
      assert.deepEqual(decodeSignature(bytes, 0)?.slice(), whole);
    }),
    { numRuns: 2_000 },
  ));

Deno.test("decodeSignature() reads nothing beyond the end", () => {
  const bytes = encoder.encode("A".repeat(86) + "==");
  assert.ok(decodeSignature(bytes, 0));
  assert.equal(decodeSignature(bytes, 1), undefined);
  assert.equal(decodeSignature(bytes.subarray(0, 87), 0), undefined);
});
