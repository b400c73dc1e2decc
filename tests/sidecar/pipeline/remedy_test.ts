import assert from "node:assert/strict";
import { bundle } from "../../policy/support.ts";
import { call, callTo, NOW_MS, outcome, POLICY, rig, session } from "./support.ts";

const READING = `(principal, action in [Firma::Action::"code.read"], resource)`;
const STRIP = `@id("strip") @modify("redact_header:X-Debug") forbid ${READING};`;
const WAIT = `@id("wait") @defer("1500") forbid ${READING};`;
const ASK = `@id("ask") @step_up("Sure?") forbid ${READING};`;

const DEBUGGED = call({ headers: [["x-debug", "1"], ["accept", "*/*"]] });

Deno.test("decide() takes the header that policy names from a call and lets the call go", () => {
  const subject = rig({ policy: POLICY + STRIP });
  const verdict = subject.decide(DEBUGGED);
  assert.ok(verdict.kind === "forward");
  assert.deepEqual(verdict.dropHeaders, ["x-debug"]);
  const { decision, detail, deny_reason, policy_ids } = subject.events.last;
  assert.deepEqual({ decision, detail, deny_reason, policy_ids }, {
    decision: "MODIFY",
    detail: "redacted_header:x-debug",
    deny_reason: "",
    policy_ids: ["strip"],
  });
  // The control: nothing is taken where no policy wants it.
  const plain = rig().decide(DEBUGGED);
  assert.ok(plain.kind === "forward");
  assert.deepEqual(plain.dropHeaders, []);
});

Deno.test("decide() puts a call off, with the time after which it may come again", () => {
  const subject = rig({ policy: POLICY + WAIT + STRIP });
  const verdict = subject.decide(call());
  assert.ok(verdict.kind === "deny");
  assert.deepEqual([verdict.problem.reason, verdict.problem.retry_after_ms], ["Deferred", 1500]);
  const { decision, deny_reason, detail } = subject.events.last;
  assert.deepEqual({ decision, deny_reason, detail }, {
    decision: "DEFER",
    deny_reason: "Deferred",
    detail: "put off; retry_after_ms: 1500",
  });
});

Deno.test("decide() denies what can only go changed where firma cannot change it", async () => {
  const tunnel = `@id("t") @modify("redact_header:x-debug") forbid (principal, action, resource);
    @id("may") permit (principal, action, resource);`;
  const subject = rig({ policy: tunnel, bypassHosts: ["pinned.test"] });
  const connected = await subject.gate.connect(call().peer, "pinned.test", 443);
  assert.ok(connected.kind === "deny");
  assert.equal(connected.problem.reason, "PolicyDenied");
  const advice = await subject.gate.advise(
    call({ peer: { ...call().peer, provenance: { via: "api" } } }),
  );
  assert.deepEqual([advice.allowed, advice.decision], [false, "DENY"]);
  assert.equal(outcome(subject.decide(call())), "forward"); // the control
});

Deno.test("decide() changes nothing in an observed session and says what it would have", () => {
  const subject = rig({ policy: POLICY + STRIP });
  subject.sessions.open(session({ observed: true }));
  const verdict = subject.decide(DEBUGGED);
  assert.ok(verdict.kind === "forward");
  assert.deepEqual(verdict.dropHeaders, []);
  const { decision, enforced } = subject.events.last;
  assert.deepEqual({ decision, enforced }, { decision: "MODIFY", enforced: false });
});

Deno.test("decide() counts only what is refused for good as denied", () => {
  for (const [policy, decision] of [[ASK, "STEP_UP"], [WAIT, "DEFER"]] as const) {
    const subject = rig({ policy: POLICY + policy });
    subject.decide(call());
    assert.equal(subject.events.last.decision, decision);
    assert.equal(subject.sessions.get(call().peer.sessionId)!.state.denyCount, 0);
    subject.decide(callTo("nowhere.test"));
    assert.equal(subject.sessions.get(call().peer.sessionId)!.state.denyCount, 1);
  }
});

Deno.test("review() closes a call that would have to go changed now, and lets a changed one be", () => {
  const plain = rig();
  const before = plain.decide(call());
  assert.ok(before.kind === "forward");
  plain.standing.apply(bundle(POLICY + STRIP), NOW_MS + 30_000);
  plain.review();
  assert.ok(before.signal.aborted);
  const changed = plain.decide(call());
  assert.ok(changed.kind === "forward");
  plain.standing.apply(bundle(`${POLICY}${STRIP}\n`), NOW_MS + 30_000);
  plain.review();
  assert.ok(!changed.signal.aborted);
  plain.standing.apply(bundle(POLICY + STRIP + ASK), NOW_MS + 30_000);
  plain.review();
  assert.ok(changed.signal.aborted);
});
