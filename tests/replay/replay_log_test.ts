import assert from "node:assert/strict";
import { Replay } from "../../src/replay/replay_log.ts";
import type { DecisionEvent } from "../../src/core/event.ts";
import { sampleDecision, sampleOutcome } from "../audit/sample.ts";
import { type CallSketch, engine, envelope, on } from "../policy/support.ts";

function decided(
  actionClass: string,
  changes: Partial<DecisionEvent>,
  sketch: CallSketch = {},
): DecisionEvent {
  return sampleDecision({
    action_class: actionClass,
    envelope: envelope(actionClass, sketch),
    ...changes,
  });
}

const READ = `@id("read") permit ${on("code.read")};`;
const ASK = `@id("ask") @step_up("sure?") forbid ${on("code.write")}; permit ${on("code.write")};`;

/** A log, and what becomes of it under other policies, in lines of text. */
function replayed(policies: string, events: readonly DecisionEvent[]): string[] {
  const replay = new Replay(engine(policies));
  for (const event of events) replay.add(event);
  return replay.report().changes.map(({ count, actionClass, was, now, policyIds, unpermitted }) =>
    `${count} ${actionClass} ${was} ${now} ${unpermitted ? "without " : ""}${policyIds.join()}`
  );
}

Deno.test("Replay says which policy turns which calls", () => {
  const allowed = decided("code.read", { policy_ids: ["read"] });
  const denied = decided("code.write", { decision: "DENY", deny_reason: "PolicyDenied" });
  const table: Record<string, readonly [policies: string, changes: string[]]> = {
    "the same": [READ, []],
    "a forbid more": [
      `${READ} @id("no") forbid ${on("code.read")};`,
      ["2 code.read ALLOW DENY no"],
    ],
    "nothing that permits": [
      `@id("other") permit ${on("issue.read")};`,
      ["2 code.read ALLOW DENY without read"],
    ],
    "a permit more": [
      `${READ} @id("write") permit ${on("code.write")};`,
      ["1 code.write DENY ALLOW write"],
    ],
    "a question": [READ + ASK, ["1 code.write DENY STEP_UP ask"]],
    "a look at the call": [
      `${READ} @id("host") forbid ${
        on("code.read")
      } when { resource has host && resource.host == "api.example.test" };`,
      ["2 code.read ALLOW DENY host"],
    ],
  };
  for (const [what, [policies, changes]] of Object.entries(table)) {
    assert.deepEqual(replayed(policies, [allowed, denied, allowed]), changes, what);
  }
});

Deno.test("Replay leaves alone what policies had no say in", () => {
  const replay = new Replay(engine(READ));
  replay.add(decided("issue.read", { decision: "DENY", deny_reason: "TokenExpired" }));
  replay.add(decided("issue.read", { decision: "PASSTHROUGH" }));
  const { envelope: _, ...early } = decided("raw.http.GET", {});
  replay.add({ ...early, decision: "DENY", deny_reason: "UnclassifiedIntent" });
  replay.add(sampleOutcome());
  replay.add(decided("code.read", {}));
  const { decisions, withoutPolicies, same, changes } = replay.report();
  assert.deepEqual([decisions, withoutPolicies, same, changes], [4, 3, 1, []]);
});

Deno.test("Replay asks again what a person let through", () => {
  const approved = decided("code.write", { approval_id: "apr_1", policy_ids: ["ask"] });
  assert.deepEqual(replayed(ASK, [approved]), []);
  const free = `@id("free") permit ${on("code.write")};`;
  assert.deepEqual(replayed(free, [approved]), ["1 code.write STEP_UP ALLOW free"]);
});

Deno.test("Replay takes no history but that of the envelope", () => {
  const after = `${READ} @id("few") forbid ${on("code.read")} when { context.action_count > 3 };`;
  const calls = [1, 2, 3, 4, 5].map((action_count) =>
    decided("code.read", { policy_ids: ["read"] }, { metadata: { action_count } })
  );
  assert.deepEqual(replayed(after, calls), ["2 code.read ALLOW DENY few"]);
});
