import assert from "node:assert/strict";
import { blocks } from "./guide.ts";
import { Person } from "../fixtures/cli.ts";

Deno.test("what docs/guides/commands.md runs is decided as it says", async () => {
  const guide = await Deno.readTextFile("docs/guides/commands.md");
  const [run, look] = [...blocks(guide, /(?!)/g)]
    .filter(({ language }) => language === "sh")
    .map(({ text }) => text);
  const script = /^firma run -- sh -c '(.*)'$/m.exec(run!)?.[1];
  assert.ok(script !== undefined);
  await using person = await Person.create();
  const ran = await person.shell(script);
  assert.match(ran.stdout, /^git version/, ran.stderr);
  assert.match(ran.stderr, /not permitted/i);
  for (const line of look!.trim().split("\n")) {
    const [program, ...args] = line.replace(/#.*/, "").trim().split(/\s+/);
    assert.equal(program, "firma");
    const { code, stderr } = await person.firma(args);
    assert.equal(code, 0, `${line}: ${stderr}`);
  }
});
