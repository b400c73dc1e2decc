import assert from "node:assert/strict";
import { join } from "node:path";
import { Person, type Running } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { blocks } from "./guide.ts";

Deno.test("every command of docs/guides/collect.md works as it stands", async () => {
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  const shell = (text: string) => person.startProgram("sh", ["-e", "-c", text], { env });
  let server: Running | undefined;
  let commands = 0;
  for (
    const { language, text } of blocks(await Deno.readTextFile("docs/guides/collect.md"), /$^/g)
  ) {
    if (language !== "sh") continue;
    commands++;
    if (text === "firma authority\n") {
      server = shell(`exec ${text}`);
      await server.printed(/authority ready/);
      continue;
    }
    if (text.includes("firma audit")) {
      // On a machine that is busy, a run may end before what it shipped was acknowledged.
      await eventually("all lines to be shipped and cosigned", async () => {
        const log = join(person.dataDir, "audit/audit.jsonl.cosigned");
        if (await Deno.stat(log).then(() => true, () => false)) return true;
        await shell("cd sidecar && firma run -- true").finished();
        return undefined;
      });
    }
    const { code, stderr } = await shell(text).finished();
    assert.deepEqual([code, stderr], [0, ""], text);
  }
  server?.kill("SIGTERM");
  assert.equal((await server?.finished())?.code, 0);
  assert.equal(commands, 5);
});
