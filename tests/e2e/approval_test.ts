/** A person approves what an agent asks for: from the command line to the log, agent in the sandbox. */
import assert from "node:assert/strict";
import { eventually } from "../fixtures/deadline.ts";
import { ALLOWED, makeWorld } from "../fixtures/world.ts";

const ASKING = `@id("own.ask")
@step_up("Really read it?")
forbid (principal, action in [Firma::Action::"code.read"], resource)
when { resource has path && resource.path like "/allowed/secret*" };
`;

/** Asks once a line comes in, and says which line that was and what came of it. */
const AGENT = `
while read -r word; do
  case $word in
    ask) curl -s -o answer.json -w 'asked %{http_code}\\n' ${ALLOWED}/secret ;;
    approve)
      id=$(grep -o 'apr_[0-9a-z]*' answer.json | head -n 1)
      firma token approve "$id" >/dev/null 2>&1; echo "approved $?"
      find / -xdev -name 'control.sock' -o -name 'decision.sock' 2>/dev/null | head -n 1
      echo "searched" ;;
  esac
done
`;

Deno.test("what an agent asks for runs once after a person approved it, and the agent cannot", async () => {
  await using world = await makeWorld();
  const { person, server } = world;
  await person.write(".firma/policies/own.cedar", ASKING);
  await using run = person.start(["run", "--trust", "--", "sh", "-c", AGENT]);
  await run.write("ask\n");
  await run.printed(/asked 403/);
  const [, id] = await run.printed(/firma token approve (apr_[0-9a-z]{26})/);
  await run.write("approve\n");
  await run.printed(/searched/);
  assert.doesNotMatch(run.stdout, /approved 0/);
  assert.doesNotMatch(run.stdout, /\.sock/);
  const list = await person.firma(["token", "list", "--json"]);
  assert.deepEqual(
    JSON.parse(list.stdout).map((row: Record<string, unknown>) => [row.approval_id, row.state]),
    [[id, "pending"]],
  );
  const approve = await person.firma(["token", "approve", id!, "--reason", "for the test"]);
  assert.equal(approve.code, 0, approve.stderr);
  assert.match(approve.stdout, /approved once/);
  const again = await person.firma(["token", "approve", id!]);
  assert.deepEqual([again.code, /approved already, by/.test(again.stderr)], [1, true]);
  await run.write("ask\n");
  await run.printed(/asked 200/);
  await run.write("ask\n");
  await eventually("the third answer", () => run.stdout.split("asked ").length === 4 || undefined);
  await run.closeInput();
  await run.finished();
  assert.match(run.stdout, /asked 403[^]*asked 200[^]*asked 403/);
  assert.equal(server.requests.length, 1);

  const story = (await person.events()).filter((event) => event.kind === "approval")
    .filter((event) => event.approval_id === id);
  assert.deepEqual(story.map(({ change }) => change), ["requested", "approved", "used"]);
  const verified = await person.firma(["audit", "verify"]);
  assert.equal(verified.code, 0, verified.stderr);
});
