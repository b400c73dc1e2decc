import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "./guide.ts";
import { Person } from "../fixtures/cli.ts";

/** What the blocks of the guide print, by a command in each. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  "mkdir -p src": /snapshot of 4 files[^]*this run deleted 4 files[^]*firma restore sbx_/,
  "cat src/parts/two": /would bring back src\/first\n[^]*brought back 6 in [^]*draft two\n/,
  "--force": /brought back 1 [^]*changed since: src\/parts\/one[^]*replaced 1 [^]*draft one\n/,
  "firma monitor": /deletion[^]*of the workspace/,
};

Deno.test("every command of docs/guides/restore.md works as it stands", async () => {
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  const guide = await Deno.readTextFile("docs/guides/restore.md");
  let seen = 0;
  for (const { language, text } of blocks(guide, /(?!)/g)) {
    if (language !== "sh") continue;
    const { code, stdout } = await person.startProgram("sh", ["-e", "-c", `{ ${text} } 2>&1`], {
      env,
    }).finished();
    assert.equal(code, 0, `${text}\n${stdout}`);
    for (const [command, expected] of Object.entries(EXPECTED)) {
      if (!text.includes(command)) continue;
      assert.match(stdout, expected, `${text}\n${stdout}`);
      seen++;
    }
  }
  assert.equal(seen, Object.keys(EXPECTED).length);
});
