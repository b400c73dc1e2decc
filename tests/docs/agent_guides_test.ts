import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "./guide.ts";
import { Person } from "../fixtures/cli.ts";

/** Names of files in the prose of a guide. */
const FILE = /`((?:\.firma\/)?[\w./-]+\/[\w-]+\.toml)`[^`]*$/g;

/** An agent that says what it was told, in place of one that npm has. */
const STAND_IN = '#!/bin/sh\necho "asked: $*"\n';

/** Runs each block of a guide as it stands; returns what each has printed. */
async function runGuide(person: Person, guide: string): Promise<string[]> {
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  for (const name of ["claude", "codex"]) {
    await Deno.writeTextFile(join(bin, name), STAND_IN, { mode: 0o755 });
  }
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  const printed: string[] = [];
  const text = await Deno.readTextFile(`docs/guides/${guide}`);
  for (const block of blocks(text, FILE)) {
    if (block.language === "toml" && block.file !== undefined) {
      await person.write(block.file, block.text);
    }
    if (block.language !== "sh") continue;
    const { code, stdout, stderr } = await person.startProgram("sh", ["-e", "-c", block.text], {
      env,
    }).finished();
    assert.equal(code, 0, `${block.text}\n${stdout}${stderr}`);
    printed.push(stdout);
  }
  return printed;
}

Deno.test("every command of docs/guides/claude-code.md works as it stands", async () => {
  await using person = await Person.create();
  const [first, prompt, , explained, , effective] = await runGuide(person, "claude-code.md");
  assert.equal(first, "asked: \n");
  assert.equal(prompt, "asked: -p What does this project do?\n");
  assert.match(explained!, /UnclassifiedIntent/);
  assert.equal(JSON.parse(effective!).profile, "claude-code");
  assert.match(await person.read(".firma/firma.toml"), /anthropic\.toml/);
});

Deno.test("every command of docs/guides/codex.md works as it stands", async () => {
  await using person = await Person.create();
  const [, prompt, explained] = await runGuide(person, "codex.md");
  assert.match(prompt!, /^asked: exec .* What does this project do\?\n$/);
  assert.match(explained!, /class +model\.inference/);
});

Deno.test("every command of docs/guides/mappings.md works as it stands", async () => {
  await using person = await Person.create();
  const printed = await runGuide(person, "mappings.md");
  assert.match(printed.join(""), /class +issue\.read\n/);
  assert.ok(printed.length >= 5);
});

Deno.test("every command of docs/guides/ci.md works as it stands", async () => {
  await using person = await Person.create();
  const printed = await runGuide(person, "ci.md");
  assert.match(printed.at(-1)!, /whole, \d+ lines/);
  assert.match(await person.read("report.xml"), /tests="2"/);
});
