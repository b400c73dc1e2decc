import assert from "node:assert/strict";
import { join } from "node:path";
import type { Running } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { ALLOWED, makeWorld, type World } from "../fixtures/world.ts";

/** What an edit may take to hold. */
const EDIT_BAR_MS = 1000;

const POLICY = ".firma/policies/dev.cedar";
const FORBID_ALL = "\nforbid (principal, action, resource);\n";

/** An agent that calls the allowed address for ever and prints each status on a line. */
const LOOP = `while :; do curl -s -o /dev/null -w '%{http_code}\\n' ${ALLOWED}; done`;

function startLoop({ person }: World): Running {
  return person.start(["run", "--trust", "--yes", "--", "sh", "-c", LOOP]);
}

/** Waits for `count` calls with this status that began after now; returns how long that took. */
async function calls(loop: Running, status: string, count = 1): Promise<number> {
  const start = performance.now();
  const from = loop.stdout.length;
  await eventually(`${count} calls with status ${status}`, () => {
    const seen = loop.stdout.slice(from).split("\n").filter((line) => line === status).length;
    return seen >= count ? true : undefined;
  }, 20_000);
  return performance.now() - start;
}

async function statusesOf(loop: Running, count: number): Promise<Set<string>> {
  const from = loop.stdout.length;
  return await eventually(`${count} calls`, () => {
    const lines = loop.stdout.slice(from).split("\n").slice(0, -1);
    return lines.length >= count ? new Set(lines) : undefined;
  }, 20_000);
}

async function policyChanges({ person }: World): Promise<string[]> {
  return (await person.events()).flatMap((e) => e.kind === "policy" ? [e.change] : []);
}

Deno.test("an edit of a policy flips the decisions of a running session within a second", async () => {
  await using world = await makeWorld();
  await using loop = startLoop(world);
  await calls(loop, "200");
  const policy = await world.person.read(POLICY);

  await world.person.write(POLICY, policy + FORBID_ALL);
  const denied = await calls(loop, "403");
  assert.ok(denied < EDIT_BAR_MS, `${denied} ms`);

  const reached = world.server.requests.length;
  assert.deepEqual(await statusesOf(loop, 5), new Set(["403"]));
  assert.equal(world.server.requests.length, reached);

  await world.person.write(POLICY, policy);
  const allowed = await calls(loop, "200");
  assert.ok(allowed < EDIT_BAR_MS, `${allowed} ms`);
  // The record of a change follows the change.
  await eventually("three policies on record", async () => {
    const changes = await policyChanges(world);
    return changes.length === 3 && changes.every((change) => change === "applied") || undefined;
  });
});

Deno.test("an invalid edit leaves the policy in force, and says why", async () => {
  await using world = await makeWorld();
  await using loop = startLoop(world);
  await using monitor = world.person.start(["monitor", "--follow"]);
  await calls(loop, "200");
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
  await calls(loop, "403");
  await Deno.truncate(join(world.person.project, ".firma/policies/block.cedar"));
  await loop.printed(/block\.cedar/);
  assert.deepEqual(await statusesOf(loop, 20), new Set(["403"]));
  assert.deepEqual(world.server.requests, []);
});

Deno.test("without a policy directory everything is denied, until it is there again", async () => {
  await using world = await makeWorld();
  await using loop = startLoop(world);
  await calls(loop, "200");
  const directory = join(world.person.project, ".firma/policies");
  await Deno.rename(directory, `${directory}.away`);
  await calls(loop, "403");
  await loop.printed(/policies/);
  const reached = world.server.requests.length;
  assert.deepEqual(await statusesOf(loop, 5), new Set(["403"]));
  assert.equal(world.server.requests.length, reached);
  await Deno.rename(`${directory}.away`, directory);
  await calls(loop, "200");
});

Deno.test("a forbid whose evaluation overflows denies", async () => {
  await using world = await makeWorld();
  const { person, server } = world;
  const overflow = `
forbid (principal, action, resource) when { context.action_count + 9223372036854775807 < 0 };
`;
  await person.write(".firma/policies/overflow.cedar", overflow);
  const call = await person.shell(`curl -sS ${ALLOWED}`);
  assert.match(call.stdout, /"reason":\s*"FailClosed"/, call.stdout);
  assert.deepEqual(server.requests, []);
});
