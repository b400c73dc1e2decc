import assert from "node:assert/strict";
import type { DecisionEvent, OutcomeEvent } from "../../src/core/event.ts";
import { SessionFold } from "../../src/sidecar/session_fold.ts";

function decision(id: string, changes: Partial<DecisionEvent> = {}): DecisionEvent {
  return {
    event_id: id,
    timestamp: "",
    sandbox_id: "sbx",
    session_id: "ses",
    agent_id: "agt",
    kind: "decision",
    decision: "ALLOW",
    deny_reason: "",
    detail: "",
    action_class: "code.read",
    resource: "api.code.test/a?b=c",
    method: "GET",
    token_id: "",
    bundle_version: "",
    policy_ids: [],
    latency_us: 0,
    ...changes,
  };
}

Deno.test("SessionFold holds the state of each session on its own", () => {
  const fold = new SessionFold();
  fold.begin("ses");
  fold.begin("other");
  fold.take(decision("1"));
  fold.take(decision("2", { decision: "DENY", action_class: "code.write" }));
  fold.take(decision("3", { session_id: "other" }));
  fold.take(decision("4", { session_id: "never opened" }));
  assert.deepEqual(fold.state("ses"), {
    actionCount: 2,
    denyCount: 1,
    recentActionClasses: ["code.read", "code.write"],
    lastResource: "api.code.test/a",
  });
  assert.equal(fold.state("other").actionCount, 1);
  assert.equal(fold.state("never opened").actionCount, 0);
});

Deno.test("abandon() gives every open call its outcome, once", () => {
  const fold = new SessionFold();
  fold.begin("ses");
  fold.take(decision("denied", { decision: "DENY" }));
  fold.take(decision("ended"));
  fold.take(decision("open"));
  fold.take(decision("passed", { decision: "PASSTHROUGH" }));
  fold.take(decision("observed", { decision: "DENY", enforced: false }));
  fold.take({ kind: "outcome", decision_event_id: "ended" } as OutcomeEvent);
  assert.equal(fold.openCalls, 3);
  const outcomes = fold.abandon("the worker ended");
  assert.deepEqual(
    outcomes.map((event) => [event.decision_event_id, event.abort_reason, event.detail]),
    [
      ["open", "CONNECTOR_FAILURE", "the worker ended"],
      ["passed", "CONNECTOR_FAILURE", "the worker ended"],
      ["observed", "CONNECTOR_FAILURE", "the worker ended"],
    ],
  );
  assert.equal(outcomes[0]!.session_id, "ses");
  assert.deepEqual(fold.abandon("again"), []);
});

Deno.test("SessionFold counts a call that a program makes by itself, and waits for no end of it", () => {
  const fold = new SessionFold();
  fold.begin("ses");
  fold.take(decision("asked", { provenance: { via: "api" } }));
  fold.take(decision("made", { provenance: { via: "proxy" } }));
  assert.equal(fold.state("ses").actionCount, 2);
  assert.deepEqual(fold.abandon("").map((event) => event.decision_event_id), ["made"]);
});
