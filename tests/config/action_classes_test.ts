import assert from "node:assert/strict";
import { ACTION_CLASSES } from "../../src/core/action_class.ts";
import { parseConfig } from "../../src/config/schema.ts";

const HEAD = '[sidecar.authority]\nagent_id = "agt_01jd8xk5w7e0v9c3b2n4m6q8rs"\n\n';

function parse(text: string) {
  const defaults = { projectDataDir: "/data", auditFile: "/data/audit.jsonl", authorityKey: "/k" };
  return parseConfig(HEAD + text, "/p/.firma/firma.toml", defaults);
}

function classes(text: string) {
  const parsed = parse(text);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value.actionClasses;
}

function faults(text: string): string[] {
  const parsed = parse(text);
  assert.ok(!parsed.ok, "the file was taken");
  return parsed.error.map(({ message, cure, at }) =>
    `${at?.line}: ${message}${cure === undefined ? "" : ` (${cure})`}`
  );
}

const entry = (...lines: string[]) => ["[[action_classes]]", ...lines, ""].join("\n");

Deno.test("actionClassList() takes domain and risk from the parent unless the file says more", () => {
  const plain = entry('name = "deploy.production"', 'parent = "deploy.write"');
  assert.deepEqual(classes(plain), [{
    name: "deploy.production",
    parent: "deploy.write",
    domain: "code",
    risk: "high",
    meaning: "Defined in firma.toml",
  }]);
  const full = entry(
    'name = "ledger.close_month"',
    'parent = "payment.transfer"',
    'domain = "access"',
    'risk = "critical"',
    'meaning = "Close the books of a month"',
  );
  assert.deepEqual(classes(full), [{
    name: "ledger.close_month",
    parent: "payment.transfer",
    domain: "access",
    risk: "critical",
    meaning: "Close the books of a month",
  }]);
  assert.deepEqual(classes(""), []);
});

Deno.test("actionClassList() takes every class of the registry for a parent", () => {
  const text = ACTION_CLASSES.map(({ name }, index) => {
    const letters = [...String(index)].map((digit) => "abcdefghij"[Number(digit)]).join("");
    return entry(`name = "own.${letters}"`, `parent = "${name}"`);
  });
  assert.equal(classes(text.join("")).length, ACTION_CLASSES.length);
});

const WRONG: Record<string, readonly [lines: string[], expected: string]> = {
  "no name": [['parent = "code.read"'], '4: Cannot use "action_classes[0].name": it is missing'],
  "no parent": [['name = "a.b"'], '4: Cannot use "action_classes[0].parent": it is missing'],
  "the name of a shipped class": [
    ['name = "code.read"', 'parent = "code.write"'],
    '5: Cannot use "action_classes[0].name": "code.read" is in the registry already',
  ],
  "a parent that is misspelt": [
    ['name = "a.b"', 'parent = "code.wrtie"'],
    '6: Cannot use "action_classes[0].parent": "code.wrtie" is no class of the registry ' +
    '(did you mean "code.write"?)',
  ],
  "a risk that is misspelt": [
    ['name = "a.b"', 'parent = "code.write"', 'risk = "hihg"'],
    '7: Cannot use "action_classes[0].risk": "hihg" is no risk (did you mean "high"?)',
  ],
  "a domain of its own": [
    ['name = "a.b"', 'parent = "code.write"', 'domain = "kitchen"'],
    '7: Cannot use "action_classes[0].domain": "kitchen" is no domain ' +
    "(known: access, code, communication, local, payment)",
  ],
  "a key that is misspelt": [
    ['name = "a.b"', 'parnet = "code.write"'],
    '6: Cannot use "action_classes[0].parnet": there is no such key (did you mean "parent"?)',
  ],
};
for (const [what, [lines, expected]] of Object.entries(WRONG)) {
  Deno.test(`actionClassList() refuses ${what}, at its line`, () => {
    assert.ok(faults(entry(...lines)).includes(expected), faults(entry(...lines)).join("\n"));
  });
}

Deno.test("actionClassList() refuses names that the registry would not have", () => {
  const names = [
    "deploy",
    "Deploy.x",
    "a..b",
    ".a",
    "a.",
    "a b.c",
    "a.b1",
    "raw.http",
    "network.x",
  ];
  for (const name of [...names, "a.b\\nc", `a.${"b".repeat(63)}`, 'a.b\\"]', "a.__proto__"]) {
    const found = faults(entry(`name = "${name}"`, 'parent = "code.write"'));
    assert.match(found[0]!, /is no name for an action class \(write words/, name);
  }
});

Deno.test("actionClassList() refuses a name twice, at the second", () => {
  const text = entry('name = "a.b"', 'parent = "code.read"');
  assert.deepEqual(faults(text + text), [
    '8: Cannot use "action_classes[1].name": "a.b" is there already',
  ]);
});

// Attack: what is written here stands in the Cedar schema.
Deno.test("actionClassList() refuses a meaning that would end the text it stands in", () => {
  for (const meaning of ['x\\") action \\"y', "a\\\\", "two\\nlines", "", "\\u001b[2J"]) {
    const lines = ['name = "a.b"', 'parent = "code.read"', `meaning = "${meaning}"`];
    assert.match(
      faults(entry(...lines))[0]!,
      /^7: Cannot use "action_classes\[0\].meaning": it is/,
    );
  }
});
