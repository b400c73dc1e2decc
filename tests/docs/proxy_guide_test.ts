import assert from "node:assert/strict";
import { join } from "node:path";
import { ALLOWED, makeWorld } from "../fixtures/world.ts";
import { blocks } from "./guide.ts";

Deno.test("every command of docs/guides/without-a-sandbox.md works as it stands", async () => {
  const guide = await Deno.readTextFile("docs/guides/without-a-sandbox.md");
  const shown = blocks(guide, /$^/g);
  const toml = shown.find(({ language }) => language === "toml")!.text;
  assert.match(toml, /:8080"/);
  // Whatever else listens there, and whoever is called: this machine alone.
  await using world = await makeWorld(`\n${toml.replace(":8080", ":0")}`);
  const { person, server } = world;
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  try {
    const said: string[] = [];
    for (const { text } of shown.filter(({ language }) => language === "sh")) {
      let script = text.replace("https://api.github.com/user", `${ALLOWED}/user`);
      if (text.includes("ses_01kc5y…")) {
        const [session] = JSON.parse(
          (await person.firma(["sidecar", "session", "list", "--json"])).stdout,
        );
        script = script.replaceAll("ses_01kc5y…", session.session_id);
      }
      const running = person.startProgram("sh", ["-e", "-c", script], { env });
      const { code, stdout, stderr } = await running.finished();
      assert.equal(code, 0, `${script}: ${stderr}`);
      said.push(stdout);
    }
    assert.equal(said.length, 4);
    assert.match(said[1]!, /^proxy +http:\/\/ses_\w+:[\w-]{43}@127\.0\.0\.1:\d+$/m);
    assert.match(said[2]!, /hello from/);
    assert.deepEqual(server.requests.length, 1);
    assert.match(server.requests[0]!.target, /\/user$/);
  } finally {
    await person.firma(["sidecar", "stop"]);
  }
});
