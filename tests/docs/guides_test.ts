import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "./guide.ts";
import { Person } from "../fixtures/cli.ts";

/** Names of files in the prose of the guide. */
const FILE = /`([\w./-]+\/[\w-]+\.(?:cedar|toml))`[^`]*$/g;

Deno.test("every command of docs/guides/policies.md works as it stands", async () => {
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  let commands = 0;
  for (
    const { language, text, file } of blocks(
      await Deno.readTextFile("docs/guides/policies.md"),
      FILE,
    )
  ) {
    const isFile = file !== undefined && (language === "cedar" || language === "toml");
    if (isFile) await person.write(file, text);
    if (language !== "sh") continue;
    commands++;
    const { code, stderr } = await person.startProgram("sh", ["-e", "-c", text], { env })
      .finished();
    assert.deepEqual([code, stderr], [0, ""], text);
  }
  assert.ok(commands >= 5);
  const { passed, failed } = JSON.parse(await person.read("report.json"));
  assert.deepEqual([passed, failed], [6, 0]);

  // What the guide shows of an explanation is one; lines of packs move.
  const call = "DELETE https://api.github.com/repos/o/r/git/refs/heads/main";
  const { stdout } = await person.firma(["policy", "explain", call]);
  const shown = /```text\n(host [^]*?)```/.exec(await Deno.readTextFile("docs/guides/policies.md"));
  const still = (text: string) => text.replaceAll(/(?<=\.(?:toml|cedar)):\d+/g, "");
  assert.equal(still(stdout), still(shown![1]!));

  // What the guide shows of a typing error is what a typing error looks like.
  const own = await person.read("policies/own.cedar");
  await person.write("policies/own.cedar", own.replace('"code.write"', '"code.wirte"'));
  const { stderr } = await person.firma(["policy", "validate", "policies"]);
  const guide = await Deno.readTextFile("docs/guides/policies.md");
  assert.ok(guide.includes(stderr), stderr);
});
