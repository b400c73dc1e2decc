import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeForTerminal } from "../../src/core/escape.ts";
import { decodeName, encodeName } from "../../src/restore/names.ts";

Deno.test("decodeName() loses nothing, whatever bytes a name has, and survives JSON", () => {
  fc.assert(fc.property(fc.uint8Array({ min: 1, maxLength: 255 }), (bytes) => {
    const text = JSON.parse(JSON.stringify(decodeName(bytes)));
    assert.deepEqual(encodeName(text), bytes);
  }));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const bytes = new TextEncoder().encode(text);
    assert.equal(decodeName(bytes), new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    assert.deepEqual(encodeName(decodeName(bytes)), bytes);
  }));
});

Deno.test("decodeName() gives what a terminal can be shown", () => {
  assert.equal(escapeForTerminal(decodeName(Uint8Array.of(0x61, 0xff, 0xc3))), "a\\udcff\\udcc3");
});
