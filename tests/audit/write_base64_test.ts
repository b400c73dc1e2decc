import assert from "node:assert/strict";
import fc from "fast-check";
import { writeBase64 } from "../../src/audit/write_base64.ts";

Deno.test("writeBase64() writes what the platform writes, and nothing beside it", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(9), (bytes, start) => {
    const text = bytes.toBase64();
    const target = new Uint8Array(start + text.length + 3).fill(0x2a);
    writeBase64(bytes, target, start);
    const stars = "*".repeat(start);
    assert.equal(new TextDecoder().decode(target), `${stars}${text}***`);
  }));
});
