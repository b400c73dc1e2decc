import assert from "node:assert/strict";
import type { CallInput, Verdict } from "../../../src/sidecar/gate.ts";
import type { Desk } from "../../approvals/support.ts";
import { ALICE, withDesk } from "../../approvals/support.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { bundle } from "../../policy/support.ts";
import {
  call,
  callTo,
  claims,
  NOW_MS,
  outcome,
  PEER,
  rig,
  type RigOptions,
  SESSION_ID,
} from "./support.ts";

const READING = `(principal, action in [Firma::Action::"code.read"], resource)`;
const MAY = `@id("may") permit (principal, action, resource);`;
const ASK = `@id("ask") @step_up("Sure?") forbid ${READING};`;
const ALSO = `@id("also") @step_up("Really?") forbid ${READING};`;
const WAIT = `@id("wait") @defer("700") forbid ${READING};`;
const STRIP = `@id("strip") @modify("redact_header:x-debug") forbid ${READING};`;
const FLAT = `@id("flat") forbid ${READING};`;

type Subject = ReturnType<typeof rig>;

/** Runs `test` with a pipeline over a desk of its own. */
function asking(
  name: string,
  options: RigOptions,
  test: (subject: Subject, desk: Desk) => Promise<void>,
) {
  Deno.test(
    name,
    () =>
      withDesk((desk) =>
        test(rig({ policy: MAY + ASK, ...options, approvals: desk.approvals }), desk)
      ),
  );
}

async function decide(subject: Subject, input: CallInput): Promise<Verdict> {
  return await subject.gate.decide(input);
}

/** The identifier of the approval that a refused call waits for. */
function waitsFor(verdict: Verdict): string {
  assert.ok(verdict.kind === "deny");
  assert.equal(verdict.problem.reason, "StepUpRequired");
  return verdict.problem.approval_id!;
}

function body(text: string): Partial<CallInput> {
  const bytes = new TextEncoder().encode(text);
  return { readBody: (limit) => Promise.resolve(bytes.length <= limit ? bytes : undefined) };
}

/** The only approval that waits, once there is one. */
async function pending(desk: Desk): Promise<string> {
  return await eventually("a call that waits", () => desk.approvals.list()[0]?.id);
}

asking(
  "decide() tells the agent what it waits for and how that comes",
  {},
  async (subject, desk) => {
    const verdict = await decide(subject, call({ target: "/repos/acme?token=abc" }));
    const id = waitsFor(verdict);
    assert.ok(verdict.kind === "deny");
    const { detail, how_to_approve, approval_expires_at, retry_after_ms } = verdict.problem;
    assert.equal(how_to_approve, `firma token approve ${id}`);
    assert.equal(approval_expires_at, new Date(desk.nowMs + 3_600_000).toISOString());
    assert.equal(retry_after_ms, 500);
    assert.match(detail, /exactly the same request again/);
    const { decision, approval_id, policy_ids } = subject.events.last;
    assert.deepEqual([decision, approval_id, policy_ids], ["STEP_UP", id, ["ask"]]);
    // Whoever approves sees no more of a secret than the log.
    assert.match(
      desk.events[0]!.shown,
      /GET https:\/\/api\.code\.test\/repos\/acme\?token=\[REDACTED\]/,
    );
  },
);

asking("decide() lets the same call pass once after an approval", {}, async (subject, desk) => {
  const id = waitsFor(await decide(subject, call()));
  assert.equal(waitsFor(await decide(subject, call())), id);
  assert.ok(desk.approve(id).ok);
  const verdict = await decide(subject, call());
  assert.equal(verdict.kind, "forward");
  const { decision, approval_id } = subject.events.last;
  assert.deepEqual([decision, approval_id], ["ALLOW", id]);
  assert.notEqual(waitsFor(await decide(subject, call())), id);
});

const OTHERS: Record<string, CallInput> = {
  "another byte in the body": call(body("amount=2")),
  "another path": call({ ...body("amount=1"), target: "/repos/acme/rocket2" }),
  "another query": call({ ...body("amount=1"), target: "/repos/acme/rocket?x" }),
  "a header that says something": call({ ...body("amount=1"), headers: [["x-account", "2"]] }),
  "another session": call({ ...body("amount=1"), peer: { ...PEER, sessionId: "ses_other" } }),
  "a program that asks": call({
    ...body("amount=1"),
    peer: { ...PEER, provenance: { via: "api" } },
  }),
};

for (const [name, other] of Object.entries(OTHERS)) {
  asking(`decide() lets no call with ${name} pass by an approval`, {}, async (subject, desk) => {
    const approved = call(body("amount=1"));
    desk.approve(waitsFor(await decide(subject, approved)));
    assert.equal((await decide(subject, other)).kind, "deny");
    assert.equal((await decide(subject, approved)).kind, "forward"); // the control
  });
}

asking("decide() denies a call whose body nobody could know again", {}, async (subject, desk) => {
  const verdict = await decide(subject, call(body("x".repeat(1_025))));
  assert.equal(outcome(verdict), "MalformedRequest");
  assert.equal(desk.announced.length, 0);
  waitsFor(await decide(subject, call(body("x".repeat(1_024))))); // the control
});

asking("decide() says no once a person said no", {}, async (subject, desk) => {
  const id = waitsFor(await decide(subject, call()));
  desk.approvals.rule(id, { kind: "deny" }, ALICE, "never");
  const verdict = await decide(subject, call());
  assert.ok(verdict.kind === "deny");
  const { reason, title, detail } = verdict.problem;
  assert.deepEqual([reason, title], ["PolicyDenied", "Approval refused"]);
  assert.doesNotMatch(detail, /never/); // what the operator notes is not the agent's to know
  assert.match(String(subject.events.last.detail), /never/);
});

asking("decide() takes headers and puts off as policy says, approved or not", {
  policy: MAY + ASK + STRIP,
}, async (subject, desk) => {
  desk.approve(waitsFor(await decide(subject, call())));
  const verdict = await decide(subject, call());
  assert.ok(verdict.kind === "forward");
  assert.deepEqual(verdict.dropHeaders, ["x-debug"]);
  assert.equal(subject.events.last.decision, "MODIFY");
  subject.standing.apply(bundle(MAY + ASK + WAIT), NOW_MS + 30_000);
  desk.approve(waitsFor(await decide(subject, call())));
  assert.equal(outcome(await decide(subject, call())), "Deferred");
  // Nothing was used up by that.
  subject.standing.apply(bundle(MAY + ASK), NOW_MS + 30_000);
  assert.equal(outcome(await decide(subject, call())), "forward");
});

asking("decide() asks again where another question has come up", {}, async (subject, desk) => {
  desk.approve(waitsFor(await decide(subject, call())));
  subject.standing.apply(bundle(MAY + ASK + ALSO), NOW_MS + 30_000);
  waitsFor(await decide(subject, call()));
  subject.standing.apply(bundle(MAY + ASK), NOW_MS + 30_000);
  assert.equal(outcome(await decide(subject, call())), "forward");
});

asking(
  "decide() decides by what holds once the body is there, however long that took",
  {},
  async (subject, desk) => {
    desk.approve(waitsFor(await decide(subject, call())));
    const sent = Promise.withResolvers<Uint8Array>();
    const slow = decide(subject, call({ readBody: () => sent.promise }));
    subject.standing.revoked = new Set([claims().token_id]);
    sent.resolve(new Uint8Array());
    assert.equal(outcome(await slow), "TokenRevoked");
  },
);

asking(
  "review() lets an approved call go on, until another question comes up",
  {},
  async (subject, desk) => {
    desk.approve(waitsFor(await decide(subject, call())));
    const verdict = await decide(subject, call());
    assert.ok(verdict.kind === "forward");
    subject.standing.apply(bundle(`${MAY}${ASK}\n`), NOW_MS + 30_000);
    subject.review();
    assert.ok(!verdict.signal.aborted);
    subject.standing.apply(bundle(MAY + ASK + ALSO), NOW_MS + 30_000);
    subject.review();
    assert.ok(verdict.signal.aborted);
  },
);

asking("connect() asks for a tunnel as for a call", {
  bypassHosts: ["pinned.test"],
  policy: `${MAY} @id("ask") @step_up("Tunnel?") forbid (principal, action, resource);`,
}, async (subject, desk) => {
  const refused = await subject.gate.connect(PEER, "pinned.test", 443);
  assert.ok(refused.kind === "deny");
  desk.approve(refused.problem.approval_id!);
  assert.equal((await subject.gate.connect(PEER, "pinned.test", 443)).kind, "tunnel");
  assert.equal((await subject.gate.connect(PEER, "pinned.test", 443)).kind, "deny");
});

const SYNC: RigOptions = { waiting: { mode: "sync_wait" } };

asking("decide() holds a call until it is approved", SYNC, async (subject, desk) => {
  const held = decide(subject, call());
  desk.approve(await pending(desk));
  assert.equal(outcome(await held), "forward");
});

asking("decide() holds a call until it is denied", SYNC, async (subject, desk) => {
  const held = decide(subject, call());
  desk.approvals.rule(await pending(desk), { kind: "deny" }, ALICE, "");
  assert.equal(outcome(await held), "PolicyDenied");
});

asking("decide() gives up on a call that nobody decides", {
  waiting: { mode: "sync_wait", maxWaitMs: 500 },
}, async (subject, desk) => {
  const verdict = await decide(subject, call());
  assert.equal(outcome(verdict), "EnforcementTimeout");
  const { decision, approval_id } = subject.events.last;
  assert.deepEqual([decision, approval_id], ["DENY", desk.approvals.list()[0]!.id]);
});

const CHANGES: Record<string, [string, (subject: Subject) => void]> = {
  "a policy forbids it flatly": [
    "PolicyDenied",
    (subject) => subject.standing.apply(bundle(MAY + ASK + FLAT), NOW_MS + 30_000),
  ],
  "nothing permits it any more": [
    "PolicyDenied",
    (subject) => subject.standing.apply(bundle(ASK), NOW_MS + 30_000),
  ],
  "there is no policy": ["PolicyBundleNotReady", (subject) => subject.standing.bundle = undefined],
  "its token is revoked": [
    "TokenRevoked",
    (subject) => subject.standing.revoked = new Set([claims().token_id]),
  ],
  "its session has ended": ["TokenInvalid", (subject) => subject.sessions.end(SESSION_ID)],
  "its session is forgotten": ["TokenInvalid", (subject) => subject.sessions.forget(SESSION_ID)],
};

for (const [name, [reason, change]] of Object.entries(CHANGES)) {
  asking(`decide() denies an approved call when ${name} meanwhile`, SYNC, async (subject, desk) => {
    const held = decide(subject, call());
    const id = await pending(desk);
    change(subject);
    desk.approve(id);
    assert.equal(outcome(await held), reason);
    assert.equal(subject.events.last.session_id, SESSION_ID);
  });
}

asking("decide() lets a held call go when its client is gone", SYNC, async (subject, desk) => {
  const left = Promise.withResolvers<() => void>();
  const held = decide(subject, call({ onGone: left.resolve }));
  await pending(desk);
  (await left.promise)();
  waitsFor(await held);
});

asking("advise() holds nobody who can ask again", SYNC, async (subject, desk) => {
  const question = call({ peer: { ...PEER, provenance: { via: "api" } } });
  const advice = await subject.gate.advise(question);
  assert.deepEqual([advice.allowed, advice.decision], [false, "STEP_UP"]);
  desk.approve(advice.problem!.approval_id!);
  assert.equal((await subject.gate.advise(question)).allowed, true);
  assert.equal((await subject.gate.advise(question)).allowed, false);
});

Deno.test("decide() answers at once, without asking anybody, what policies decide", () => {
  const asked = { ask: () => Promise.reject(new Error("nobody should be asked")) };
  for (const policy of [MAY, MAY + ASK + FLAT, ASK]) {
    const subject = rig({ policy, approvals: asked });
    subject.decide(call()); // which fails when it has to wait
  }
  const observed = rig({ policy: MAY + ASK, approvals: asked });
  observed.sessions.open({ ...observed.sessions.get(SESSION_ID)!, observed: true });
  assert.equal(observed.decide(call()).kind, "forward");
  assert.equal(rig({ policy: MAY + ASK }).decide(callTo("nowhere.test")).kind, "deny");
});

asking("decide() denies where the answer cannot be had", {}, async () => {
  const subject = rig({
    policy: MAY + ASK,
    approvals: { ask: () => Promise.reject(new Error("gone")) },
  });
  assert.equal(outcome(await decide(subject, call())), "FailClosed");
});
