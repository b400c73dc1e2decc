/** A person approves what an agent asks for: from the command line to the log, agent in the sandbox. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../fixtures/deadline.ts";
import { ALLOWED, makeWorld } from "../fixtures/world.ts";

const ASKING = `@id("own.ask")
@step_up("Really read it?")
forbid (principal, action in [Firma::Action::"code.read"], resource)
when { resource has path && resource.path like "/allowed/secret*" };
`;

/**
 * Tries everything that could lead to approving: each socket that can be found or is known, and
 * firma itself where there is a program of it. Says what answered; `probe <id> <socket> <places>`.
 */
const PROBE = `
probe() {
  id=$1; known=$2; shift 2
  for socket in "$known" $(find "$@" -type s 2>/dev/null); do
    curl -sS -m 5 --noproxy '*' --unix-socket "$socket" http://firma/v1/approvals 2>>probe.err |
      grep -q "$id" && echo "reached $socket"
  done
  if [ -x ./firma ]; then ./firma token approve "$id" >probe.out 2>&1; echo "approved $?"; fi
  echo "probed"
}
`;

/** Where a sandbox has anything but programs. */
const PLACES = "/run /var /tmp /home /root /mnt /media /srv /etc /dev .";

/** Asks once a line comes in, and says which line that was and what came of it. */
const AGENT = `${PROBE}
while read -r word id socket; do
  case $word in
    ask) curl -s -o answer.json -w 'asked %{http_code}\\n' ${ALLOWED}/secret ;;
    approve) probe "$id" "$socket" ${PLACES} ;;
  esac
done
`;

/** The program under test, where it is one file that an agent could bring along. */
const COMPILED = Deno.env.get("FIRMA_E2E_PROGRAM") || "source";

Deno.test("what an agent asks for runs once after a person approved it, and the agent cannot", async () => {
  await using world = await makeWorld();
  const { person, server } = world;
  await person.write(".firma/policies/own.cedar", ASKING);
  await using run = person.start(["run", "--trust", "--", "sh", "-c", AGENT]);
  await run.write("ask\n");
  await run.printed(/asked 403/);
  const [, id] = await run.printed(/firma token approve (apr_[0-9a-z]{26})/);
  const [sandbox] = await person.runDirectories();
  const socket = join(person.stateDir, "run", sandbox!, "control.sock");
  if (COMPILED !== "source") await Deno.copyFile(COMPILED, join(person.project, "firma"));
  // The control: from outside, the same words reach what lists and approves.
  const outside = await person.startProgram("sh", [
    "-c",
    `${PROBE} cd ..; probe "$@"`,
    ...["sh", id!, socket, person.stateDir],
  ]).finished();
  assert.match(outside.stdout, new RegExp(`^reached ${socket}$`, "m"), outside.stderr);
  await run.write(`approve ${id} ${socket}\n`);
  await run.printed(/probed/);
  assert.doesNotMatch(run.stdout, /reached/);
  if (COMPILED !== "source") {
    await run.printed(/^approved [1-9]/m);
    assert.match(await person.read("probe.out"), /Cannot/);
  }
  assert.match(await person.read("probe.err"), /curl: \(7\)/);
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
