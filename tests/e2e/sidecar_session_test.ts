/** Agents without a sandbox: a session by the proxy, from the command line to the log. */
import assert from "node:assert/strict";
import { ALLOWED, DENIED, makeWorld } from "../fixtures/world.ts";
import { shellWord } from "../../src/core/shell.ts";

const PROXY = `
[sidecar.interceptor]
mode = "http_proxy"
listen_addr = "127.0.0.1:0"
`;

Deno.test("an agent without a sandbox is held to policy by the environment of its session", async () => {
  await using world = await makeWorld(PROXY);
  const { person, server } = world;
  const none = await person.firma(["sidecar", "session", "list"]);
  assert.deepEqual([none.code, /start --detach/.test(none.stderr)], [1, true]);
  const started = await person.firma(["sidecar", "start", "--detach", "--trust"]);
  assert.equal(started.code, 0, started.stderr);
  try {
    const agent = (await person.firma(["authority", "agents", "add", "builder"])).stdout.trim();
    const unknown = await person.firma(["sidecar", "session", "open", "--agent", "nobody"]);
    assert.match(unknown.stderr, /agent "nobody" is not registered/);
    const opened = await person.firma([
      "sidecar",
      "session",
      "open",
      "--agent",
      "builder",
      "--env",
    ]);
    assert.equal(opened.code, 0, opened.stderr);
    const variables = opened.stdout;
    const password = /^export HTTPS_PROXY=http:\/\/ses_[^:]+:([\w-]{43})@127/m.exec(variables)![1]!;
    const id = /^export FIRMA_RUN_SESSION_ID=(ses_\w+)$/m.exec(variables)![1]!;

    const ask = async (url: string) => {
      const curl = `curl -s -o /dev/null -w '%{http_code} %{http_connect}' ${shellWord(url)}`;
      const running = person.startProgram("sh", ["-c", `${variables}\n${curl}`]);
      await running.closeInput();
      return (await running.finished()).stdout;
    };
    assert.equal(await ask(`${ALLOWED}/x`), "200 200");
    assert.equal(await ask(`${DENIED}/x`), "403 200");

    const list = await person.firma(["sidecar", "session", "list", "--json"]);
    assert.equal(list.code, 0, list.stderr);
    const [session] = JSON.parse(list.stdout);
    assert.deepEqual(
      [session.session_id, session.agent_id, session.interceptor, session.deny_count],
      [id, agent, "http_proxy", 1],
    );
    assert.equal((await person.firma(["sidecar", "session", "close", id])).code, 0);
    assert.equal(await ask(`${ALLOWED}/x`), "000 000");

    const decisions = (await person.events()).filter((event) => event.kind === "decision");
    assert.deepEqual(decisions.map(({ agent_id, decision }) => [agent_id, decision]), [
      [agent, "ALLOW"],
      [agent, "DENY"],
    ]);
    assert.equal(server.requests.length, 1);
    const left = await person.firma(["sidecar", "session", "open", "--agent", agent]);
    assert.equal(left.code, 0, left.stderr);
    const stop = await person.firma(["sidecar", "stop"]);
    assert.equal(stop.code, 0, stop.stderr);
    await assert.rejects(Deno.stat(`${person.stateDir}/daemon/roots`), Deno.errors.NotFound);
    for (const file of [person.auditLog, `${person.stateDir}/daemon/sidecar.log`]) {
      assert.ok(!(await Deno.readTextFile(file)).includes(password), file);
    }
  } finally {
    await person.firma(["sidecar", "stop"]);
  }
});
