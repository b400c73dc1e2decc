import assert from "node:assert/strict";
import { join } from "node:path";
import type { Running } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { takesAtMost } from "../fixtures/pace.ts";
import { ALLOWED, makeWorld, type World } from "../fixtures/world.ts";

/** What an edit may take to hold. */
const EDIT_BAR_MS = 1000;

const POLICY = ".firma/policies/dev.cedar";
const FORBID_ALL =
  '\nforbid (principal, action, resource) unless { context.raw_transport == "exec" };\n';

/** An agent that calls the allowed address for ever and prints each status on a line. */
const LOOP = `while :; do curl -s -o /dev/null -w '%{http_code}\\n' ${ALLOWED}; done`;

function startLoop({ person }: World): Running {
  return person.start(["run", "--trust", "--yes", "--", "sh", "-c", LOOP]);
}

/** Waits for a call with this status that ends after now. */
async function call(loop: Running, status: string): Promise<void> {
  const from = loop.stdout.length;
  await eventually(
    `a call with status ${status}`,
    () => loop.stdout.slice(from).split("\n").includes(status) || undefined,
  );
}

async function statusesOf(loop: Running, count: number): Promise<Set<string>> {
  const from = loop.stdout.length;
  return await eventually(`${count} calls`, () => {
    const lines = loop.stdout.slice(from).split("\n").slice(0, -1);
    return lines.length >= count ? new Set(lines) : undefined;
  });
}

async function policyChanges({ person }: World): Promise<string[]> {
  return (await person.events()).flatMap((e) => e.kind === "policy" ? [e.change] : []);
}

Deno.test("an edit of a policy flips the decisions of a running session within a second", async () => {
  await using world = await makeWorld();
  await using loop = startLoop(world);
  await call(loop, "200");
  const policy = await world.person.read(POLICY);
  let edits = 0;
  const edit = async (text: string, status: string): Promise<number> => {
    edits++;
    const since = performance.now();
    await world.person.write(POLICY, text);
    await call(loop, status);
    return performance.now() - since;
  };

  await takesAtMost(EDIT_BAR_MS, async () => {
    const denied = await edit(policy + FORBID_ALL, "403");
    const reached = world.server.requests.length;
    assert.deepEqual(await statusesOf(loop, 5), new Set(["403"]));
    assert.equal(world.server.requests.length, reached);
    return Math.max(denied, await edit(policy, "200"));
  });
  // The record of a change follows the change.
  await eventually("each policy on record", async () => {
    const applied = (await policyChanges(world)).filter((change) => change === "applied");
    return applied.length === 1 + edits || undefined;
  });
});

Deno.test("an invalid edit leaves the policy in force, and says why", async () => {
  await using world = await makeWorld();
  await using loop = startLoop(world);
  await using monitor = world.person.start(["monitor", "--follow"]);
  await call(loop, "200");
  await world.person.write(POLICY, "permit (principal, action");
  await loop.printed(/dev\.cedar/);
  await monitor.printed(/dev\.cedar/);
  assert.deepEqual(await statusesOf(loop, 10), new Set(["200"]));
  await eventually(
    "the refusal on record",
    async () => (await policyChanges(world)).at(-1) === "refused" || undefined,
  );
});

Deno.test("a policy file that an editor truncates before it writes does not lose its forbids", async () => {
  await using world = await makeWorld();
  await world.person.write(".firma/policies/block.cedar", FORBID_ALL);
  await using loop = startLoop(world);
  await call(loop, "403");
  await Deno.truncate(join(world.person.project, ".firma/policies/block.cedar"));
  await loop.printed(/block\.cedar/);
  assert.deepEqual(await statusesOf(loop, 20), new Set(["403"]));
  assert.deepEqual(world.server.requests, []);
});

Deno.test("without a policy directory everything is denied, until it is there again", async () => {
  // No program would run either, and the loop's calls are what is looked at.
  await using world = await makeWorld('\n[run.sidecar_local_exec]\ngate = "off"\n');
  await using loop = startLoop(world);
  await call(loop, "200");
  const directory = join(world.person.project, ".firma/policies");
  await Deno.rename(directory, `${directory}.away`);
  await call(loop, "403");
  await loop.printed(/policies/);
  const reached = world.server.requests.length;
  assert.deepEqual(await statusesOf(loop, 5), new Set(["403"]));
  assert.equal(world.server.requests.length, reached);
  await Deno.rename(`${directory}.away`, directory);
  await call(loop, "200");
});

Deno.test("a forbid whose evaluation overflows denies", async () => {
  await using world = await makeWorld();
  const { person, server } = world;
  const overflow = `
forbid (principal, action, resource)
when { context.raw_transport != "exec" && context.action_count + 9223372036854775807 < 0 };
`;
  await person.write(".firma/policies/overflow.cedar", overflow);
  const call = await person.shell(`curl -sS ${ALLOWED}`);
  assert.match(call.stdout, /"reason":\s*"FailClosed"/, call.stdout);
  assert.deepEqual(server.requests, []);
});
