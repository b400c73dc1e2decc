import assert from "node:assert/strict";
import { classOf, faults, table } from "./support.ts";

const GOOD = '[[rules]]\nhost = "a.test"\naction_class = "code.read"\n';

interface Expected {
  readonly code: string;
  readonly message: RegExp;
  readonly cure?: RegExp;
  readonly line: number;
}

const FAULTS: Readonly<Record<string, readonly [string, Expected]>> = {
  "text that is not TOML": ["[[rules]\n", { code: "TOML_SYNTAX", message: /rules\.toml/, line: 1 }],
  "an unknown key of the file": [`ruels = []\n${GOOD}`, {
    code: "MAPPING_KEY_UNKNOWN",
    message: /"ruels"/,
    cure: /did you mean "rules"/,
    line: 1,
  }],
  "an unknown table": [`${GOOD}[rule]\n`, {
    code: "MAPPING_KEY_UNKNOWN",
    message: /"rule"/,
    cure: /did you mean "rules"/,
    line: 4,
  }],
  "an unknown key of a rule": [`${GOOD}methods = "GET"\n`, {
    code: "MAPPING_KEY_UNKNOWN",
    message: /"methods"/,
    cure: /did you mean "method"/,
    line: 4,
  }],
  "an unknown key like no other": [`${GOOD}qqqqqqqq = 1\n`, {
    code: "MAPPING_KEY_UNKNOWN",
    message: /"qqqqqqqq"/,
    cure: /known keys: host, method/,
    line: 4,
  }],
  "an unknown dialect": [`dialect = "openfirm"\n${GOOD}`, {
    code: "MAPPING_RULE_INVALID",
    message: /dialect "openfirm"/,
    cure: /openfirma/,
    line: 1,
  }],
  "rules that are no tables": ["rules = 3\n", {
    code: "MAPPING_RULE_INVALID",
    message: /not a list of tables/,
    cure: /\[\[rules\]\]/,
    line: 1,
  }],
  "no host": ['[[rules]]\naction_class = "code.read"\n', {
    code: "MAPPING_RULE_INVALID",
    message: /host: there is none/,
    line: 1,
  }],
  "an empty list of hosts": ['[[rules]]\nhost = []\naction_class = "code.read"\n', {
    code: "MAPPING_RULE_INVALID",
    message: /host/,
    line: 2,
  }],
  "a host that is a number": ['[[rules]]\nhost = 1\naction_class = "code.read"\n', {
    code: "MAPPING_RULE_INVALID",
    message: /host/,
    line: 2,
  }],
  "every host": ['[[rules]]\nhost = "*"\naction_class = "code.read"\n', {
    code: "MAPPING_RULE_INVALID",
    message: /host "\*"/,
    line: 2,
  }],
  "a host with * inside": ['[[rules]]\nhost = "a.*.test"\naction_class = "code.read"\n', {
    code: "MAPPING_RULE_INVALID",
    message: /host "a\.\*\.test"/,
    line: 2,
  }],
  "names below an address": ['[[rules]]\nhost = "*.127.0.0.1"\naction_class = "code.read"\n', {
    code: "MAPPING_RULE_INVALID",
    message: /address/,
    line: 2,
  }],
  "no action class": ['[[rules]]\nhost = "a.test"\n', {
    code: "MAPPING_RULE_INVALID",
    message: /action_class: there is none/,
    line: 1,
  }],
  "an action class that is not registered": [
    '[[rules]]\nhost = "a.test"\naction_class = "code.raed"\n',
    {
      code: "MAPPING_RULE_INVALID",
      message: /"code.raed": not in the registry/,
      cure: /did you mean "code.read"/,
      line: 3,
    },
  ],
  "an action class on an unmapped rule": [`${GOOD}unmapped = true\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /unmapped/,
    line: 4,
  }],
  "a method in lower case": [`${GOOD}method = "get"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /"get" is not one of GET/,
    cure: /did you mean "GET"/,
    line: 4,
  }],
  "a method that nobody may use": [`${GOOD}method = ["GET", "TRACE"]\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /"TRACE"/,
    line: 4,
  }],
  "a path without its slash": [`${GOOD}path = "a"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /"a" does not start with "\/"/,
    line: 4,
  }],
  "a path with a query": [`${GOOD}path = "/a?b=c"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /query/,
    line: 4,
  }],
  "a path with dots": [`${GOOD}path = "/a/../b"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /dot segment/,
    line: 4,
  }],
  "a path with an empty segment": [`${GOOD}path = "/a//b"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /empty segment/,
    line: 4,
  }],
  "two ** in a path": [`${GOOD}path = "/**/a/**"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /more than one "\*\*"/,
    line: 4,
  }],
  "** within a segment": [`${GOOD}path = "/a**"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /has "\*\*" within "a\*\*"/,
    line: 4,
  }],
  "a query that is no condition": [`${GOOD}query = "service"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /name=value/,
    line: 4,
  }],
  "a query with a name twice": [`${GOOD}query = "a=1&a=2"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /twice/,
    line: 4,
  }],
  "a decoder that does not exist": [`${GOOD}decoder = "graphql"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /no such decoder/,
    line: 4,
  }],
  "braces around a name": [`${GOOD}path = "/a/{name}"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /percent-encoded/,
    line: 4,
  }],
  "braces within a segment": [`${GOOD}path = "/a/v{*}"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /percent-encoded/,
    line: 4,
  }],
  "a flag that is a text": [`${GOOD}unmapped = "yes"\n`, {
    code: "MAPPING_RULE_INVALID",
    message: /true or false/,
    line: 4,
  }],
  "the same rule twice": [`${GOOD}\n${GOOD}`, {
    code: "MAPPING_RULES_TIE",
    message: /rules\.toml:1 .* and rules\.toml:5 /,
    line: 5,
  }],
  "a path twice in one rule": [`${GOOD}path = [\n  "/a-b",\n  "/a%2db",\n]\n`, {
    code: "MAPPING_RULES_TIE",
    message: /rules\.toml:5 .* and rules\.toml:6 /,
    line: 6,
  }],
};

for (const [what, [text, expected]] of Object.entries(FAULTS)) {
  Deno.test(`MappingTable.parse() refuses ${what} and says where it is`, () => {
    const [error, ...others] = faults(text);
    assert.ok(error);
    assert.deepEqual(others, []);
    assert.equal(error.code, expected.code);
    assert.match(error.message, expected.message);
    if (expected.cure) assert.match(error.cure ?? "", expected.cure);
    assert.equal(error.at?.file, "rules.toml");
    assert.equal(error.at?.line, expected.line);
  });
}

Deno.test("MappingTable.parse() reports every fault at once", () => {
  const text = `${GOOD}path = "a"\n\n[[rules]]\nhost = "user@a.test"\naction_class = "x"\n`;
  const lines = faults(text).map((error) => error.at?.line);
  assert.deepEqual(lines, [4, 7, 8]);
});

Deno.test("MappingTable.parse() takes rules written as an array", () => {
  const text = 'rules = [\n  { host = "a.test", action_class = "code.read" },\n]\n';
  assert.equal(classOf(table(text), "GET", "https://a.test/"), "code.read");
});

Deno.test("MappingTable.parse() takes an empty file", () => {
  assert.equal(table("# nothing yet\n").size, 0);
});

Deno.test("MappingTable.parse() shows no control character of a file", () => {
  const [error] = faults('[[rules]]\nhost = "a\\u001b[2Jb"\naction_class = "code.read"\n');
  // deno-lint-ignore no-control-regex -- controls must not reach a terminal
  assert.doesNotMatch(error!.message, /[\x00-\x1f]/);
});

Deno.test("MappingTable.parse() knows a key that JavaScript objects have anyway", () => {
  const [error] = faults(`${GOOD}constructor = 1\n`);
  assert.equal(error!.code, "MAPPING_KEY_UNKNOWN");
  assert.match(faults("[[rules]]\n__proto__ = 1\n")[0]!.message, /__proto__/);
});
