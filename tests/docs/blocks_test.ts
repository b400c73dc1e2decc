/** What every page shows of commands, configuration, rules and policies is understood by firma. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { SECTIONS } from "../../scripts/docs_site/navigation.ts";
import { readPolicyFile } from "../../src/config/packs.ts";
import { checkKeys } from "../../src/config/schema.ts";
import { parseToml } from "../../src/config/toml.ts";
import { DECODERS } from "../../src/mapping/decoders/decoders.ts";
import { parseRuleFile } from "../../src/mapping/rule_file.ts";
import { cedarModule, initCedar } from "../../src/policy/cedar_module.ts";
import { checkBundle } from "../../src/policy/check.ts";
import { misunderstood } from "../fixtures/command_line.ts";
import { blocks } from "./guide.ts";

interface Shown {
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

/** The help of the commands, and what it shows, has tests of its own. */
const PAGES = SECTIONS.flatMap(({ pages }) => pages.map(({ file }) => file))
  .filter((file) => file !== "docs/cli.md");

/** Every fenced block of the documentation, indented ones too. */
const SHOWN: readonly Shown[] = PAGES.flatMap((file) => {
  const text = Deno.readTextFileSync(file).replaceAll(/^ {2,3}(?=\S)/gm, "");
  return blocks(text, /(?!)/g).map(({ language, text }) => ({ file, language, text }));
});

const of = (...languages: readonly string[]) =>
  SHOWN.filter(({ language }) => languages.includes(language));

/** Command lines of firma in a script, those in substitutions and behind other commands too. */
function commandLines(script: string): string[] {
  return script.replaceAll(/\\\n\s*/g, " ")
    .replaceAll(/<<(\w+)\n[^]*?^\1$/gm, "")
    .split("\n")
    .flatMap((line) => line.replace(/(?:^|\s)#\s.*$/, "").split(/&&|\|\||[;|()]/))
    .map((part) => part.replace(/^\s*(?:!|exec|if|then|do|until)?\s*/, "").replace(/ *>.*$/, ""))
    .filter((part) => /^firma(\s|$)/.test(part));
}

Deno.test("every command of firma in the documentation is one that it understands", async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { file, text } of of("sh")) {
    for (const line of commandLines(text)) {
      count++;
      const fault = await misunderstood(line);
      if (fault !== undefined) wrong.push(`${file}: ${fault}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 80, `${count}`);
});

/** Tables of a `firma.toml`; other TOML is rules, fixtures, or of somebody else. */
const TABLES = ["authority", "sidecar", "run", "action_classes"];

Deno.test("every key of firma.toml in the documentation is one that there is", () => {
  const wrong: string[] = [];
  let count = 0;
  // What begins with no table is a list of ways to write a line.
  for (const { file, text } of of("toml").filter(({ text }) => /^\[/m.test(text))) {
    const document = parseToml(text, file);
    assert.ok(document.ok, `${file}: ${JSON.stringify(document)}`);
    if (!Object.keys(document.value.root).every((name) => TABLES.includes(name))) continue;
    count++;
    const checked = checkKeys(text, "/p/.firma/firma.toml");
    if (checked.ok) continue;
    // An excerpt may leave out what its table needs.
    const faults = checked.error.filter(({ message }) => !/is missing|needs/.test(message));
    wrong.push(...faults.map(({ message }) => `${file}: ${message}`));
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 20, `${count}`);
});

const RULES = /^\[\[rules\]\]\n(?:.+\n)*host = /m;

/** A class of the registry in place of one that a page has its reader define. */
function withoutOwn(text: string): string {
  return text.replaceAll('"deploy.production"', '"deploy.write"');
}

Deno.test("every mapping rule in the documentation is one", () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { file, text } of of("toml").filter(({ text }) => RULES.test(text))) {
    count++;
    const { errors } = parseRuleFile({ file, text: withoutOwn(text) }, new Set(DECODERS.keys()));
    wrong.push(...errors.map(({ message }) => `${file}: ${message}`));
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 3, `${count}`);
});

Deno.test("every policy in the documentation is valid", async () => {
  initCedar(await cedarModule());
  const schema = readPolicyFile("firma.cedarschema");
  const shown = of("cedar");
  for (const { file, text } of shown) {
    const policies = [{ file, text: withoutOwn(text) }];
    const bundle = { revision: 1, version: "docs", schema, policies, ttlSeconds: 60 };
    const checked = checkBundle(bundle);
    assert.ok(checked.ok, `${file}: ${checked.ok ? "" : checked.error[0]?.message}\n${text}`);
  }
  assert.ok(shown.length > 8, `${shown.length}`);
});

Deno.test("every JSON and YAML in the documentation can be read", () => {
  for (const { file, text } of of("json")) assert.doesNotThrow(() => JSON.parse(text), file);
  for (const { file, text } of of("yaml")) {
    for (const { errors } of parseAllDocuments(text)) assert.deepEqual(errors, [], file);
  }
});
