import assert from "node:assert/strict";
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from "../../src/pki/der.ts";

function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

Deno.test("integer() is unsigned and minimal", () => {
  const table = {
    "00": "020100",
    "7f": "02017f",
    "80": "02020080",
    "0080": "02020080",
    "000001": "020101",
    "ff00": "020300ff00",
  };
  for (const [bytes, encoded] of Object.entries(table)) {
    assert.equal(hex(integer(Uint8Array.fromHex(bytes))), encoded, bytes);
  }
});

Deno.test("objectIdentifier() writes arcs in base 128", () => {
  assert.equal(hex(objectIdentifier("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  assert.equal(hex(objectIdentifier("2.5.29.19")), "0603551d13");
  assert.equal(hex(objectIdentifier("2.999.3")), "0603883703");
});

Deno.test("lengths take the short form up to 127 and the long form from then on", () => {
  assert.equal(hex(octetString(new Uint8Array(127))).slice(0, 4), "047f");
  assert.equal(hex(octetString(new Uint8Array(128))).slice(0, 6), "048180");
  assert.equal(hex(octetString(new Uint8Array(256))).slice(0, 8), "04820100");
  assert.equal(hex(sequence()), "3000");
});

Deno.test("bitString() says how many bits do not count", () => {
  assert.equal(hex(bitString(Uint8Array.of(0x04), 2)), "03020204");
});

Deno.test("time() is UTCTime before 2050 and GeneralizedTime from then on", () => {
  const text = (iso: string) => new TextDecoder().decode(time(Date.parse(iso)).subarray(2));
  assert.equal(text("2026-03-01T12:34:56.789Z"), "260301123456Z");
  assert.equal(text("2049-12-31T23:59:59Z"), "491231235959Z");
  assert.equal(text("2050-01-01T00:00:00Z"), "20500101000000Z");
});
