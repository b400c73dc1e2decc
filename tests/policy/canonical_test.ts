import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalValue, encodeValue } from "../../src/policy/canonical.ts";

const text = fc.string({ unit: fc.constantFrom("s", "n", "a", "0", "1", ":", ";", "-", "t", "f") });
const value = fc.oneof(
  { withCrossShrink: true },
  text,
  fc.integer({ min: -12, max: 12 }),
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.constant(undefined),
);

Deno.test("encodeValue() gives two different lists of values two different texts", () => {
  const list = fc.array(value, { maxLength: 4 });
  const same = (a: unknown[], b: unknown[]) =>
    a.length === b.length && a.every((_, i) => JSON.stringify([a[i]]) === JSON.stringify([b[i]]));
  fc.assert(
    fc.property(list, list, (a, b) => {
      // JSON has no undefined.
      const [left, right] = [a, b].map((each) => each.map((item) => item ?? null)) as [
        unknown[],
        unknown[],
      ];
      const equal = a.map(encodeValue).join("") === b.map(encodeValue).join("");
      assert.equal(equal, same(left, right));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("encodeValue() of a text that holds an encoding is not the encoding of both", () => {
  fc.assert(fc.property(text, value, (first, second) => {
    const joined = encodeValue(first) + encodeValue(second);
    assert.notEqual(encodeValue(first + encodeValue(second)), joined);
    // As it would be if texts did not say where they end.
    assert.notEqual(encodeValue(`${first}s:${second}`), joined);
  }));
});

Deno.test("encodeValue() does not let an agent make two calls look alike", () => {
  // Joined with a separator these would be equal.
  const pairs: [unknown[], unknown[]][] = [
    [["a", "b|c"], ["a|b", "c"]],
    [["a", ""], ["", "a"]],
    [["1"], [1]],
    [[["a", "b"]], [["a"], "b"]],
    [["true"], [true]],
    [[undefined], [""]],
    [["s1:a"], ["s", "a"]],
  ];
  const encode = (list: unknown[]) => list.map((item) => encodeValue(item as string)).join("");
  for (const [a, b] of pairs) assert.notEqual(encode(a), encode(b));
  assert.equal(encode(["a", 1]), encode(["a", 1]));
});

Deno.test("canonicalValue() sorts sets, drops repetitions and keeps the original", () => {
  const given = ["b", "a", "b"];
  assert.deepEqual(canonicalValue(given, "Set<String>"), ["a", "b"]);
  assert.deepEqual(given, ["b", "a", "b"]);
});

Deno.test("canonicalValue() refuses what Cedar would not read as it is", async (t) => {
  const wrong: Record<string, [unknown, Parameters<typeof canonicalValue>[1]]> = {
    "text for a number": ["1", "Long"],
    "a fraction": [1.5, "Long"],
    "2^53": [2 ** 53, "Long"],
    "a number for text": [1, "String"],
    "half a surrogate pair": ["\udc00", "String"],
    "half a surrogate pair in a set": [["a", "\udc00"], "Set<String>"],
    "numbers in a set": [[1], "Set<String>"],
    "text for a set": ["a", "Set<String>"],
    "text for a truth value": ["true", "Boolean"],
  };
  for (const [name, [value, type]] of Object.entries(wrong)) {
    await t.step(name, () => assert.equal(canonicalValue(value as string, type), undefined));
  }
  assert.equal(canonicalValue("é😀", "String"), "é😀");
  assert.equal(canonicalValue(-5, "Long"), -5);
  assert.equal(canonicalValue(false, "Boolean"), false);
});
