import assert from "node:assert/strict";
import type { ExecutionEvent } from "../../src/core/event.ts";
import { isWorthShowing } from "../../src/demo/trail.ts";

function event(members: Readonly<Record<string, unknown>>): ExecutionEvent {
  const whole = { kind: "decision", decision: "ALLOW", method: "GET", ...members };
  return whole as unknown as ExecutionEvent; // as far as what is tried here looks at it
}

Deno.test("isWorthShowing() shows calls and deeds, and neither the model nor what comes too late", () => {
  const shown = (members: Readonly<Record<string, unknown>>) =>
    isWorthShowing(event(members), "model.test");
  assert.ok(shown({ resource: "api.test/x" }));
  assert.ok(!shown({ resource: "model.test/v1/messages" }));
  assert.ok(shown({ resource: "model.test.evil.test/v1/messages" }));
  // The watch tells of it when the next turn may have begun already.
  assert.ok(!shown({ resource: "workspace", method: "WATCH" }));
  const program = { kind: "exec", resource: "localhost/rm", method: "EXEC" };
  assert.ok(!shown({ ...program, action_class: "system.execute" }));
  assert.ok(shown({ ...program, action_class: "system.execute", decision: "DENY" }));
  assert.ok(shown({ ...program, action_class: "filesystem.delete" }));
  assert.ok(!shown({ kind: "outcome", resource: "api.test/x" }));
});
