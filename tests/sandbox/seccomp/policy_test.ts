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

/** The fault, the line that it is in, and what is told to do. */
const REFUSED: Readonly<Record<string, [string, RegExp, number, RegExp?]>> = {
  "what is no TOML": ["id = ", /^Cannot parse "p\.toml": /, 1],
  "an unknown call": [
    rule(`calls = [\n"mount",\n"opneat2"]\nerror = "EPERM"`),
    /rules\[0\]\.calls\[1\]": there is no system call "opneat2"/,
    7,
    /"openat2"/,
  ],
  "a call of no machine's": [
    rule(`calls = ["quux_and_more"]\nerror = "EPERM"`),
    /there is no system call "quux_and_more"/,
    5,
    /man 2 syscalls/,
  ],
  "a name that every object has": [
    rule(`calls = ["constructor"]\nerror = "EPERM"`),
    /there is no system call "constructor"/,
    5,
  ],
  "a number for a name": [rule(`calls = [59]\nerror = "EPERM"`), /it is not a string/, 5],
  "no call": [rule(`calls = []\nerror = "EPERM"`), /rules\[0\]\.calls": it is empty/, 5],
  "a call that every program makes": [
    rule(`calls = ["execve"]\nerror = "EPERM"`),
    /no program would start without "execve"/,
    5,
  ],
  "a call that the layer around the agent makes, by its arguments": [
    rule(`calls = ["prctl"]\nerror = "EPERM"\nwhen = [{ argument = 0, equals = [22] }]`),
    /no program would start without "prctl"/,
    5,
  ],
  "an unknown error": [rule(`calls = ["open"]\nerror = "EAGAIN"`), /rules\[0\]\.error/, 6],
  "an answer that allows": [rule(`calls = ["open"]\nerror = "allow"`), /rules\[0\]\.error/, 6],
  "an unknown key": [
    rule(`calls = ["open"]\nerror = "EPERM"\nwhne = []`),
    /rules\[0\]\.whne": there is no such key/,
    7,
    /"when"/,
  ],
  "what would permit by default": [
    `id = "p"\nversion = 1\nrules = []\ndefault_action = "allow"\n`,
    /default_action": there is no such key/,
    4,
  ],
  "a condition of two kinds": [
    rule(
      `calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 0, equals = [1], except = [2] }]`,
    ),
    /exactly one of/,
    7,
  ],
  "a condition of no kind": [
    rule(`calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 0 }]`),
    /exactly one of/,
    7,
  ],
  "a condition without values": [
    rule(`calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 0, except = [] }]`),
    /it has 0 values/,
    7,
  ],
  "a seventh argument": [
    rule(`calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 6, equals = [1] }]`),
    /argument/,
    7,
  ],
  "a value of more than 32 bits": [
    rule(`calls = ["kill"]\nerror = "EPERM"\nwhen = [{ argument = 0, equals = [0x100000000] }]`),
    /equals/,
    7,
  ],
};

for (const [name, [text, message, line, cure]] of Object.entries(REFUSED)) {
  Deno.test(`parseSeccompPolicy() refuses ${name}, and says where`, () => {
    const result = parseSeccompPolicy(text, "p.toml");
    assert.ok(!result.ok);
    const [fault] = result.error;
    assert.match(fault!.message, message);
    assert.equal(fault!.code, "SECCOMP_POLICY_INVALID");
    assert.deepEqual([fault!.at?.file, fault!.at?.line], ["p.toml", line]);
    if (cure) assert.match(fault!.cure ?? "", cure);
  });
}
