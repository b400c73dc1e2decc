import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson } from "../../src/audit/canonical_json.ts";

Deno.test("canonicalJson() writes the example of RFC 8785, 3.2.2", () => {
  const input = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  assert.equal(
    canonicalJson(input),
    String
      .raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

Deno.test("canonicalJson() sorts as RFC 8785, 3.2.3", () => {
  const input = JSON.parse(String.raw`{
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis"
  }`);
  assert.deepEqual(
    Object.values(JSON.parse(`[${canonicalJson(input).match(/"[^"]*"(?=[,}])/g)}]`)),
    [
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ],
  );
});

// RFC 8785, appendix B.
for (
  const [bits, text] of [
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ] as const
) {
  Deno.test(`canonicalJson() writes the number of RFC 8785, appendix B ${bits}`, () => {
    const value = new DataView(Uint8Array.fromHex(bits).buffer).getFloat64(0);
    assert.equal(canonicalJson(value), text);
  });
}

for (
  const [what, value] of [
    ["NaN", NaN],
    ["an infinity", -Infinity],
    ["a high surrogate alone", "a\ud800b"],
    ["a low surrogate alone", "\udead"],
    ["a surrogate alone in a name", { "\ud800": 1 }],
    ["a bigint", 1n],
    ["a function", () => 1],
    ["undefined in an array", [undefined]],
    ["a class instance", { at: new Date(0) }],
    ["a map", new Map()],
  ] as const
) {
  Deno.test(`canonicalJson() refuses ${what}`, () => {
    assert.throws(() => canonicalJson(value), TypeError);
  });
}

Deno.test("canonicalJson() refuses nesting that would exhaust the stack", () => {
  const deep = JSON.parse("[".repeat(5_000) + "]".repeat(5_000));
  assert.throws(() => canonicalJson(deep), /nested deeper than 64/);
  const enough = JSON.parse("[".repeat(64) + "]".repeat(64));
  assert.equal(canonicalJson(enough), "[".repeat(64) + "]".repeat(64));
});

Deno.test("canonicalJson() leaves members out that are undefined", () => {
  assert.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}');
});

const json = fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }).filter((value) =>
  !JSON.stringify(value).includes("\\ud")
);

Deno.test("canonicalJson() says the same as the value", () => {
  fc.assert(fc.property(json, (value) => {
    // -0 has no form of its own in JSON.
    assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("canonicalJson() is a fixed point", () => {
  fc.assert(fc.property(json, (value) => {
    const text = canonicalJson(value);
    assert.equal(canonicalJson(JSON.parse(text)), text);
  }));
});

Deno.test("canonicalJson() does not depend on the order of members", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string(), json), { maxLength: 8 }),
      fc.nat(),
      (members, turn) => {
        const unique = [...new Map(members)];
        const at = unique.length === 0 ? 0 : turn % unique.length;
        const turned = [...unique.slice(at), ...unique.slice(0, at)].reverse();
        assert.equal(
          canonicalJson(Object.fromEntries(unique)),
          canonicalJson(Object.fromEntries(turned)),
        );
      },
    ),
  );
});

Deno.test("canonicalJson() writes members that objects treat in a way of their own", () => {
  const name = fc.oneof(
    fc.constantFrom("__proto__", "toJSON", "constructor", "10", "9", "-1", "01", "", "a"),
    fc.string({ maxLength: 3 }),
  );
  const members = fc.array(fc.tuple(name, fc.oneof(fc.string(), fc.integer())));
  fc.assert(fc.property(members, (members) => {
    const unique = [...new Map(members)];
    const text = `{${
      unique.map(([n, v]) => `${JSON.stringify(n)}:${JSON.stringify(v)}`).join(",")
    }}`;
    const sorted = unique.sort(([a], [b]) => a < b ? -1 : 1)
      .map(([n, v]) => `${JSON.stringify(n)}:${JSON.stringify(v)}`).join(",");
    assert.equal(canonicalJson(JSON.parse(text)), `{${sorted}}`);
    assert.equal(canonicalJson([JSON.parse(text)]), `[{${sorted}}]`);
  }));
});

Deno.test("canonicalJson() tells an escaped backslash from a lone surrogate", () => {
  assert.equal(canonicalJson({ a: "\\ud800" }), String.raw`{"a":"\\ud800"}`);
  assert.equal(canonicalJson({ a: "\ud83d\ude00" }), '{"a":"\ud83d\ude00"}');
  assert.throws(() => canonicalJson({ a: "\\ud800\ud800" }), TypeError);
});
