import assert from "node:assert/strict";
import fc from "fast-check";
import { type Key, KeyReader } from "../../../src/monitor/view/keys.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function keys(...pieces: string[]): Key[] {
  const reader = new KeyReader();
  return [...pieces.flatMap((piece) => reader.read(encode(piece))), ...reader.flush()];
}

Deno.test("KeyReader knows keys, and what a terminal sends for them", () => {
  assert.deepEqual(keys("\x1b[A\x1b[B\x1bOA\x1b[5~\x1b[6~\x1b[H\x1b[4~"), [
    "up",
    "down",
    "up",
    "page-up",
    "page-down",
    "home",
    "end",
  ]);
  assert.deepEqual(keys("\r\t\x7f\x03\x1a\x0c"), [
    "enter",
    "tab",
    "backspace",
    "interrupt",
    "suspend",
    "redraw",
  ]);
  assert.deepEqual(keys("jé日"), [{ char: "j" }, { char: "é" }, { char: "日" }]);
});

Deno.test("KeyReader tells the Escape key from a sequence that begins with it", () => {
  assert.deepEqual(keys("\x1b"), ["escape"]);
  assert.deepEqual(keys("\x1b", "[A"), ["up"]);
  assert.deepEqual(keys("\x1b", "\x1b[", "A"), ["escape", "up"]);
  assert.deepEqual(keys("\x1bq"), ["escape", { char: "q" }]);
  const reader = new KeyReader();
  reader.read(encode("\x1b"));
  assert.ok(reader.isPending);
});

Deno.test("KeyReader swallows sequences that mean nothing here, and a character in two pieces", () => {
  assert.deepEqual(keys("\x1b[1;5D\x1b[200~\x1b[<0;12;7M"), []);
  const reader = new KeyReader();
  const [first, ...rest] = encode("é");
  assert.deepEqual(reader.read(Uint8Array.of(first!)), []);
  assert.deepEqual(reader.read(Uint8Array.from(rest)), [{ char: "é" }]);
});

Deno.test("KeyReader gives the same keys however the bytes come", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\x1b[A", "\x1b[5~", "é", "\r", "\x7f") });
  fc.assert(fc.property(text, fc.integer({ min: 1, max: 5 }), (text, size) => {
    const bytes = encode(text);
    const reader = new KeyReader();
    const found: Key[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...reader.read(bytes.subarray(at, at + size)));
    }
    assert.deepEqual([...found, ...reader.flush()], keys(text));
  }));
});
