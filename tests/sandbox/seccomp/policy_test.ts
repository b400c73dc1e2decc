import assert from "node:assert/strict";
import { parseSeccompPolicy } from "../../../src/sandbox/seccomp/policy.ts";

const rule = (lines: string) => `id = "p"\nversion = 1\n[[rules]]\nwhy = "w"\n${lines}\n`;

Deno.test("parseSeccompPolicy() reads a rule", () => {
  const text = rule(
    `calls = ["clone"]\nerror = "EPERM"\nwhen = [{ argument = 0, any_bits = 0x10 }]`,
  );
  const result = parseSeccompPolicy(text, "p.toml");
  assert.ok(result.ok);
  assert.deepEqual(result.value.rules, [{
    why: "w",
    calls: ["clone"],
    error: "EPERM",
    when: [{ argument: 0, anyBits: 0x10 }],
  }]);
});

const REFUSED: Readonly<Record<string, [string, RegExp]>> = {
  "what is no TOML": ["id = ", /^Cannot parse "p\.toml": /],
  "an unknown call": [rule(`calls = ["opne"]\nerror = "EPERM"`), /no such system call/],
  "an unknown error": [rule(`calls = ["open"]\nerror = "EAGAIN"`), /rules\.0\.error/],
  "an answer that allows": [rule(`calls = ["open"]\nerror = "allow"`), /rules\.0\.error/],
  "an unknown key": [rule(`calls = ["open"]\nerror = "EPERM"\nunless = []`), /unless/],
  "a condition of two kinds": [
    rule(
      `calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 0, equals = [1], except = [2] }]`,
    ),
    /exactly one of/,
  ],
  "a condition of no kind": [
    rule(`calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 0 }]`),
    /exactly one of/,
  ],
  "a seventh argument": [
    rule(`calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 6, equals = [1] }]`),
    /argument/,
  ],
  "a value of more than 32 bits": [
    rule(`calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 0, equals = [0x100000000] }]`),
    /equals/,
  ],
};

for (const [name, [text, message]] of Object.entries(REFUSED)) {
  Deno.test(`parseSeccompPolicy() refuses ${name}`, () => {
    const result = parseSeccompPolicy(text, "p.toml");
    assert.ok(!result.ok);
    assert.match(result.error.message, message);
  });
}
