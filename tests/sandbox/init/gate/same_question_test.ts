/** An answer that stands for one question stands for no other. */
import assert from "node:assert/strict";
import type { ExecEvent } from "../../../../src/core/event.ts";
import { eventually } from "../../../fixtures/deadline.ts";
import { Gated } from "../../support/gated.ts";

/** The events of `git` that a script leads to, in order. */
async function eventsOf(gated: Gated, script: string): Promise<ExecEvent[]> {
  const { code, stderr } = await gated.shell(`${script}\n/bin/echo "the end"`);
  assert.equal(code, 0, stderr);
  const isLast = ({ execution }: ExecEvent) => execution.argv.at(-1) === "the end";
  await eventually("the last record", () => gated.executions.find(isLast));
  return gated.executions.filter(({ execution }) => execution.argv[0] === "git");
}

Deno.test("the same command is decided once, and what differs from it each time", async () => {
  await using gated = await Gated.deciding("permit (principal, action, resource);");
  await gated.write("tool", "");
  const events = await eventsOf(
    gated,
    `
git version
git version
git --version
GIT_TRACE=0 git version
cd /
git version
cd "$OLDPWD"
git version
cp /usr/bin/git ./git
PATH="$PWD" git version
env -i git version
`,
  );
  const [first] = events;
  const asked = events.map(({ repeats }) => repeats === undefined);
  assert.deepEqual(asked, [true, false, true, true, true, false, true, true]);
  assert.deepEqual([events[1]!.repeats, events[5]!.repeats], [first!.event_id, first!.event_id]);
  for (const { action_class, decision, token_id } of events) {
    assert.deepEqual([action_class, decision], ["filesystem.read", "ALLOW"]);
    assert.equal(token_id, first!.token_id);
  }
});

Deno.test("a file that is written anew is decided anew, under the same name and question", async () => {
  await using gated = await Gated.deciding("permit (principal, action, resource);");
  const script = "cp /usr/bin/true git; until [ git -ot settled ]; do touch settled; done";
  const settled = `${script}; sync; i=0; while [ $i -lt 40 ]; do i=$((i+1)); /bin/true; done`;
  const events = await eventsOf(
    gated,
    `${settled}; PATH=.:$PATH; git a; git a; cp /usr/bin/false git; git a`,
  );
  assert.equal(events.at(-1)!.repeats, undefined);
});

Deno.test("what repeats counts in its session before it does anything", async () => {
  const policy = `permit (principal, action, resource);
    forbid (principal, action == Firma::Action::"code.write", resource)
    when { context.action_count > 4 };`;
  for (const [count, decision] of [[3, "ALLOW"], [4, "DENY"]] as const) {
    await using gated = await Gated.deciding(policy);
    const events = await eventsOf(gated, `${"git version\n".repeat(count)}git push || true`);
    assert.equal(events.filter(({ repeats }) => repeats !== undefined).length, count - 1);
    assert.equal(events.at(-1)!.decision, decision);
  }
});
