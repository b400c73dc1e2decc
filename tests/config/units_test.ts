import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDuration, parseSize } from "../../src/config/units.ts";

Deno.test("parseDuration() reads compact durations", () => {
  const table: Record<string, number> = {
    "250ms": 250,
    "30s": 30_000,
    "1.5s": 1500,
    "1h": 3_600_000,
    "1h30m": 5_400_000,
    "24d": 24 * 86_400_000,
  };
  for (const [text, value] of Object.entries(table)) {
    assert.deepEqual(parseDuration(text), { ok: true, value }, text);
  }
});

Deno.test("parseDuration() refuses what is no duration, no time, or too long for a timer", () => {
  for (
    const text of ["", "30", "s", "-1s", "1 s", "1S", "0s", "0.1ms", "25d", "1e3s", "1s ", "١s"]
  ) {
    assert.equal(parseDuration(text).ok, false, text);
  }
});

Deno.test("parseSize() reads sizes with decimal and binary units", () => {
  const table: Record<string, number> = {
    "1 B": 1,
    "4 MiB": 4 * 1024 * 1024,
    "500KB": 500_000,
    "1.5 KiB": 1536,
    "2GB": 2_000_000_000,
  };
  for (const [text, value] of Object.entries(table)) {
    assert.deepEqual(parseSize(text), { ok: true, value }, text);
  }
});

Deno.test("parseSize() refuses what is no size, nothing, or beyond exact numbers", () => {
  for (const text of ["", "4", "4 mib", "-1 B", "0 B", "0.1 B", "4  MiB", "99999999999 GiB"]) {
    assert.equal(parseSize(text).ok, false, text);
  }
});

Deno.test("parseDuration() and parseSize() never throw, and give whole numbers", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    for (const result of [parseDuration(text), parseSize(text)]) {
      if (result.ok) assert.ok(Number.isSafeInteger(result.value) && result.value > 0);
    }
  }));
});
