import assert from "node:assert/strict";
import { announcement } from "../../src/approvals/announcement.ts";
import { withDesktop } from "../../src/run/desktop.ts";
import { subject } from "../approvals/support.ts";

const WAITS = announcement({
  id: "apr_01jd8xk5w7e0v9c3b2n4m6q8rs",
  subject: subject(),
  state: "pending",
  requestedMs: 0,
  untilMs: 1,
  uses: 0,
});

Deno.test("withDesktop() has the desktop say that something waits, and no more often than helps", () => {
  const told: string[] = [];
  let shown = 0;
  let now = 0;
  const tell = withDesktop((_, text) => told.push(text), () => shown++, () => now);
  tell("info", "the policies changed");
  assert.equal(shown, 0);
  tell("warn", WAITS);
  tell("warn", WAITS);
  assert.equal(shown, 1);
  now += 5_000;
  tell("warn", WAITS);
  assert.equal(shown, 2);
  assert.equal(told.length, 4);
});

Deno.test("withDesktop() goes on where the desktop cannot say anything", () => {
  const told: string[] = [];
  const tell = withDesktop((_, text) => told.push(text), () => {
    throw new Deno.errors.NotFound("no such program");
  });
  tell("warn", WAITS);
  assert.deepEqual(told, [WAITS]);
});
