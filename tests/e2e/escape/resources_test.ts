/** What an agent can do to the machine by wanting too much of it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Person } from "../../fixtures/cli.ts";
import { unwrap } from "../../../src/core/result.ts";
import { holdLimits, USUAL_LIMITS } from "../../../src/sandbox/limits/hold.ts";

const BOMB = fileURLToPath(new URL("../../sandbox/support/fork_bomb.py", import.meta.url));
const PROCESSES = 40;
/** firma's own, and numbers that may not be given out again. */
const MOST = PROCESSES + 64 + 300;

Deno.test("firma run: a fork bomb ends at its limit, and the Sidecar goes on answering", async () => {
  const { plan, cgroup } = unwrap(holdLimits(USUAL_LIMITS, `test-${Deno.pid}`));
  await cgroup?.remove();
  if (plan.held[0]?.means === "nothing") return; // root on an old kernel, without a cgroup
  await using person = await Person.create();
  await person.configure({ more: `[run.limits]\nprocesses = ${PROCESSES}\n` });
  await person.write("bomb.py", await Deno.readTextFile(BOMB));
  const run = await person.run(["/usr/bin/python3", "bomb.py", String(MOST + 100)]);
  assert.equal(run.code, 0, run.stderr);
  const { started, refused, answer, unanswered } = JSON.parse(run.stdout);
  assert.equal(refused, "EAGAIN");
  assert.ok(started <= MOST, String(started));
  // Decided while there was no process to be had in the sandbox: no rule names the address.
  const events = await person.events();
  const seen = () => JSON.stringify({ unanswered, events, stderr: run.stderr }, null, 1);
  assert.ok(answer === "HTTP/1.1 403 Forbidden", `${answer}\n${seen()}`);
  assert.ok(
    events.some((event) =>
      event.kind === "decision" && "decision" in event && event.decision === "DENY"
    ),
    seen(),
  );
});
