import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "./guide.ts";
import { Person } from "../fixtures/cli.ts";

Deno.test("every command of docs/guides/daemon.md works as it stands", async () => {
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  const guide = await Deno.readTextFile("docs/guides/daemon.md");
  const lines = blocks(guide, /$^/g).filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.trimEnd().split("\n"));
  assert.deepEqual(lines.slice(0, 3), [
    "firma config",
    "firma sidecar start --detach",
    "firma run -- curl -sS https://example.com/",
  ]);
  const said: Record<string, string> = {};
  for (const line of lines) {
    if (line === "firma config") {
      await using asked = person.startOnTerminal(["config"]);
      // Enter takes what is proposed.
      await asked.write("\n".repeat(12));
      assert.equal((await asked.finished()).code, 0, asked.stdout);
      continue;
    }
    const { code, stdout, stderr } = await person.startProgram("sh", ["-c", line], { env })
      .finished();
    assert.equal(code, 0, `${line}: ${stderr}`);
    said[line] = stdout;
  }
  // No mapping names that host: the run that joined was decided, and the log says so.
  assert.match(said["firma run -- curl -sS https://example.com/"]!, /UnclassifiedIntent/);
  assert.match(said["firma sidecar status"]!, /daemon +\d+ +running/);
  assert.match(said["firma monitor --no-follow"]!, /DENY .*example\.com/);
  assert.match(said["firma sidecar unit"]!, /^ExecStart=.* sidecar --config /m);
});
