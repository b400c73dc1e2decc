import assert from "node:assert/strict";
import fc from "fast-check";
import { type Json, parseJson } from "../../../src/mapping/decoders/json.ts";
import { takesAtMost } from "../../fixtures/pace.ts";

const read = (text: string) => parseJson(new TextEncoder().encode(text));

/** The value in the shape of JSON.parse. */
function plain(value: Json): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

Deno.test("parseJson() reads what JSON.parse reads", () => {
  const folded = new Set<string>();
  const unique = fc.jsonValue().filter((value) => {
    const check = (item: unknown): boolean => {
      if (typeof item === "string") return item.isWellFormed();
      if (typeof item !== "object" || item === null) return true;
      if (Array.isArray(item)) return item.every(check);
      const keys = Object.keys(item).map((key) => key.toUpperCase().toLowerCase());
      return new Set(keys).size === keys.length && Object.entries(item).flat().every(check);
    };
    folded.clear();
    return check(value);
  });
  fc.assert(fc.property(unique, (value) => {
    const text = JSON.stringify(value);
    const result = read(text);
    assert.ok(result.ok, text);
    assert.deepEqual(plain(result.value), JSON.parse(text));
  }));
});

Deno.test("parseJson() refuses what JSON.parse refuses", () => {
  const piece = fc.constantFrom(
    ...'{ } [ ] , : " \\ 1 -0 .5 1e 01 true nul \t \u0001 a'.split(" "),
  );
  fc.assert(fc.property(fc.array(piece).map((pieces) => pieces.join("")), (text) => {
    let parses = true;
    try {
      JSON.parse(text);
    } catch {
      parses = false;
    }
    if (!parses) assert.equal(read(text).ok, false, text);
  }));
});

const REFUSED: Record<string, string> = {
  "a key twice": '{"a":1,"a":2}',
  "a key twice, once with an escape": '{"a":1,"\\u0061":2}',
  "a key twice in different case": '{"name":1,"Name":2}',
  "a key twice with a Kelvin sign": '{"k":1,"\u212a":2}',
  "a key twice with a long s": '{"s":1,"\u017f":2}',
  "half a surrogate pair": '"\\ud800"',
  "a byte order mark": "\ufeff{}",
  "a nest too deep": "[".repeat(100) + "]".repeat(100),
  "too many values": `[${"1,".repeat(100_000)}1]`,
  "two values": "{} {}",
  "a comma too many": "[1,]",
  "a comment": "{/* */}",
  "nothing": "",
};
for (const [what, text] of Object.entries(REFUSED)) {
  Deno.test(`parseJson() refuses ${what}`, () => {
    assert.equal(read(text).ok, false);
  });
}

Deno.test("parseJson() refuses bytes that are not UTF-8", () => {
  assert.equal(parseJson(new Uint8Array([0x22, 0xc0, 0xae, 0x22])).ok, false);
});

Deno.test("parseJson() keeps a key that means something to JavaScript as data", () => {
  const result = read('{"__proto__":{"a":1},"constructor":2}');
  assert.ok(result.ok && result.value instanceof Map);
  assert.deepEqual([...result.value.keys()], ["__proto__", "constructor"]);
});

Deno.test("parseJson() reads a long text quickly", () => {
  const text = JSON.stringify("x\\".repeat(1_500_000));
  return takesAtMost(2_000, () => assert.ok(read(text).ok));
});
