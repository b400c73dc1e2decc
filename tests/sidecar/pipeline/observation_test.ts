/** Sessions in monitor mode: policies deny in name alone, everything else as ever. */
import assert from "node:assert/strict";
import { type DecisionEvent, hasOutcome, isLetOut } from "../../../src/core/event.ts";
import { DENY_REASONS, type DenyReason } from "../../../src/core/decision.ts";
import { isObservable } from "../../../src/sidecar/pipeline/observation.ts";
import { bundle } from "../../policy/support.ts";
import {
  call,
  callTo,
  claims,
  NOW_MS,
  outcome,
  PEER,
  POLICY,
  type Rig,
  rig,
  type RigOptions,
  session,
  SESSION_ID,
  TOKEN_ID,
} from "./support.ts";

const REMOVAL = call({ method: "DELETE" });

function observed(options: RigOptions = {}): Rig {
  const subject = rig(options);
  subject.sessions.open(session({ observed: true }));
  return subject;
}

function last({ events }: Rig): DecisionEvent {
  const event = events.all.at(-1)!;
  assert.ok(event.kind === "decision");
  return event;
}

Deno.test("decide() lets out what policy denies in an observed session, and records the denial", () => {
  const subject = observed();
  const verdict = subject.decide(REMOVAL);
  assert.ok(verdict.kind === "forward");
  assert.deepEqual(subject.events.urgent, [verdict.eventId]);
  const event = last(subject);
  assert.deepEqual([event.decision, event.enforced], ["DENY", false]);
  assert.deepEqual([event.deny_reason, event.policy_ids], ["PolicyDenied", ["history"]]);
  assert.ok(isLetOut(event) && hasOutcome(event));
  assert.equal(subject.sessions.get(SESSION_ID)!.state.denyCount, 1);

  assert.equal(outcome(subject.decide(call())), "forward");
  assert.deepEqual([last(subject).decision, last(subject).enforced], ["ALLOW", undefined]);
  assert.equal(outcome(rig().decide(REMOVAL)), "PolicyDenied");
});

const OBSERVED: Record<string, [DenyReason, (subject: Rig) => ReturnType<Rig["decide"]>]> = {
  "an unmapped call": ["UnclassifiedIntent", (subject) => subject.decide(callTo("other.test"))],
  "a call beyond the scope of its token": ["ScopeViolation", (subject) => {
    subject.sessions.setClaims(SESSION_ID, [claims({ resource_scope: ["elsewhere.test"] })]);
    return subject.decide(call());
  }],
  "an action that the token does not name": ["ToolNotInScope", (subject) => {
    subject.sessions.setClaims(SESSION_ID, [claims({ action_set: ["code.write"] })]);
    return subject.decide(call());
  }],
};

for (const [name, [reason, decide]] of Object.entries(OBSERVED)) {
  Deno.test(`decide() lets out ${name} in an observed session`, () => {
    const subject = observed();
    assert.equal(outcome(decide(subject)), "forward");
    assert.deepEqual([last(subject).deny_reason, last(subject).enforced], [reason, false]);
    assert.equal(outcome(decide(rig())), reason);
  });
}

// Attack: what an agent may not do however little is enforced.
const ENFORCED: Record<string, [DenyReason, (subject: Rig) => ReturnType<Rig["decide"]>]> = {
  "a malformed call": [
    "MalformedRequest",
    (subject) => subject.decide(call({ target: "/repos/../x" })),
  ],
  "another host in the tunnel": [
    "MalformedRequest",
    (subject) => subject.decide(call({ authority: "other.test" })),
  ],
  "this machine": ["LoopbackBlocked", (subject) => subject.decide(callTo("127.0.0.1"))],
  "the metadata service": [
    "LoopbackBlocked",
    (subject) => subject.decide(callTo("169.254.169.254")),
  ],
  "a revoked token": ["TokenRevoked", (subject) => {
    subject.standing.revoked = new Set([TOKEN_ID]);
    return subject.decide(call());
  }],
  "no token": ["TokenInvalid", (subject) => {
    subject.sessions.setClaims(SESSION_ID, []);
    return subject.decide(call());
  }],
  "a session that has ended": ["TokenInvalid", (subject) => {
    subject.sessions.end(SESSION_ID);
    return subject.decide(call());
  }],
  "a session that never was": [
    "TokenInvalid",
    (subject) => subject.decide(call({ peer: { ...PEER, sessionId: "ses_nobody" } })),
  ],
  "no policy": ["PolicyBundleNotReady", (subject) => {
    subject.standing.bundle = undefined;
    return subject.decide(call());
  }],
  "a log that takes no record": ["FailClosed", (subject) => {
    subject.events.accepting = false;
    return subject.decide(REMOVAL);
  }],
};

for (const [name, [reason, decide]] of Object.entries(ENFORCED)) {
  Deno.test(`decide() denies ${name} in an observed session too`, () => {
    const subject = observed();
    assert.equal(outcome(decide(subject)), reason);
    const recorded = subject.events.all.filter((event) => event.kind === "decision");
    for (const event of recorded) assert.equal(event.enforced, undefined);
  });
}

Deno.test("isObservable() holds for policy's reasons alone", () => {
  assert.deepEqual(DENY_REASONS.filter(isObservable), [
    "PolicyDenied",
    "ScopeViolation",
    "ToolNotInScope",
    "UnclassifiedIntent",
    "StepUpRequired",
    "Deferred",
  ]);
});

Deno.test("review() closes an observed call for a revocation, not for a policy", () => {
  const subject = observed();
  const verdict = subject.decide(call());
  assert.ok(verdict.kind === "forward");
  const forbid = bundle(`${POLICY}\nforbid (principal, action, resource);`);
  subject.standing.apply(forbid, NOW_MS + 30_000);
  subject.review();
  assert.ok(!verdict.signal.aborted);
  subject.standing.revoked = new Set([TOKEN_ID]);
  subject.review();
  assert.ok(verdict.signal.aborted);
});

Deno.test("an observed session leaves others enforced", () => {
  const subject = observed();
  const other = "ses_01jd8xk5w7e0v9c3b2n4m6q8zz";
  subject.sessions.open(session({ sessionId: other }));
  const peer = { ...PEER, sessionId: other };
  assert.equal(outcome(subject.decide(call({ method: "DELETE", peer }))), "PolicyDenied");
  assert.equal(outcome(subject.decide(REMOVAL)), "forward");
});

Deno.test("advise() says that an observed call may go on, and what it is taken for", async () => {
  const subject = observed();
  const { allowed, decision, problem } = await subject.gate.advise(REMOVAL);
  assert.deepEqual([allowed, decision, problem], [true, "PASSTHROUGH", undefined]);
});
