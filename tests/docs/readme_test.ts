import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "./guide.ts";
import { Person } from "../fixtures/cli.ts";

/** Tried elsewhere: the installer by its own tests and scripts/fresh, the others by everything. */
const ELSEWHERE = /^(curl -fsSL|scripts\/)/;

Deno.test("every command of the README works as it stands", async () => {
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  const readme = (await Deno.readTextFile("README.md")).replaceAll(/^ {2}(?=\S)/gm, "");
  const printed: string[] = [];
  for (const { language, text } of blocks(readme, /(?!)/g)) {
    if (language !== "sh" || ELSEWHERE.test(text)) continue;
    const { code, stdout, stderr } = await person.startProgram("sh", ["-e", "-c", text], { env })
      .finished();
    assert.equal(code, 0, `${text}\n${stdout}${stderr}`);
    printed.push(stdout);
  }
  const [demo, refused, shown, whole] = printed;
  assert.match(demo!, /DENY +content\.publish[^]*demo\.readers-publish-nothing/);
  assert.match(refused!, /"reason": ?"UnclassifiedIntent"/);
  assert.match(shown!, /DENY +GET +example\.com\//);
  assert.match(shown!, /rule +none/);
  assert.match(whole!, /whole/);
  assert.ok(printed.length >= 5);
});
