import assert from "node:assert/strict";
import type { ApprovalAnswer } from "../../../src/approvals/answer.ts";
import {
  advanceSession,
  INITIAL_SESSION_STATE,
  sessionStep,
} from "../../../src/core/session_state.ts";
import type { DecisionEvent } from "../../../src/core/event.ts";
import { ok } from "../../../src/core/result.ts";
import type { Decoder } from "../../../src/mapping/decoders/decoder.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { call, claims, NOW_MS, outcome, rig, RULES, SESSION_ID } from "./support.ts";

const PAYING = `${RULES}
[[rules]]
host = "api.code.test"
method = "POST"
path = "/pay/**"
action_class = "payment.transfer"
decoder = "money"
`;

/** Reads amount and payee from the path: /pay/<amount>/<payee>. */
const MONEY: Decoder = {
  name: "money",
  reads: "nothing",
  attributes: [],
  decode({ call, rule }) {
    const [, , amount, payee, currency = "eur"] = call.path.split("/");
    return ok({
      operations: [{
        actionClass: rule.actionClass,
        attributes: {
          transfer_amount: Number(amount),
          payment_currency: currency,
          payment_destination: payee!,
        },
      }],
    });
  },
} as Decoder;

function bank(condition: string) {
  let nowMs = NOW_MS;
  const policy = `@id("may") permit (principal, action, resource);
    @id("limit") forbid (principal, action in [Firma::Action::"payment.transfer"], resource)
    when { ${condition} };`;
  const subject = rig({
    rules: PAYING,
    policy,
    decoders: new Map([["money", MONEY]]),
    now: () => nowMs,
  });
  return {
    subject,
    pay: (amount: number, payee = "acct_a") =>
      outcome(subject.decide(call({ method: "POST", target: `/pay/${amount}/${payee}` }))),
    read: () => outcome(subject.decide(call())),
    wait(ms: number) {
      nowMs += ms;
      subject.standing.bundle = { ...subject.standing.bundle!, freshUntilMs: nowMs + 30_000 };
    },
  };
}

Deno.test("policies bound what a session moves in a day", () => {
  const { pay, wait } = bank("context.daily_cumulative_amount > 100");
  assert.equal(pay(60), "forward");
  assert.equal(pay(41), "PolicyDenied");
  assert.equal(pay(40), "forward"); // what was denied has moved nothing
  assert.equal(pay(1), "PolicyDenied");
  wait(600_000);
  assert.equal(pay(1), "PolicyDenied");
});

Deno.test("a name that is no currency is no way around a bound", () => {
  const { subject, pay } = bank("context.daily_cumulative_amount > 100");
  const other = (currency: string) =>
    outcome(
      subject.decide(call({ method: "POST", target: `/pay/60/acct_a/${currency}` })),
    );
  assert.equal(pay(60), "forward");
  // The control: another currency has a sum of its own.
  assert.equal(other("usd"), "forward");
  for (const currency of ["__proto__", "constructor", "EUR", "euro"]) {
    assert.notEqual(other(currency), "forward", currency);
  }
});

Deno.test("policies bound how often a session moves money, in all and to one payee", () => {
  const often = bank("context.transfers_last_10m > 2");
  assert.deepEqual([often.pay(1), often.read(), often.pay(1), often.pay(1)], [
    "forward",
    "forward",
    "forward",
    "PolicyDenied",
  ]);
  often.wait(600_000);
  assert.equal(often.pay(1), "forward");
  const payee = bank("context.same_payee_count_30m > 1");
  assert.deepEqual([payee.pay(1, "a"), payee.pay(1, "b"), payee.pay(1, "a")], [
    "forward",
    "forward",
    "PolicyDenied",
  ]);
  const total = bank("context.session_transfer_count > 1");
  assert.deepEqual([total.pay(1), total.pay(1)], ["forward", "PolicyDenied"]);
});

Deno.test("an auditor with the log arrives at the state that decided", () => {
  const { subject, pay } = bank("context.daily_cumulative_amount > 100");
  for (const amount of [60, 60, 30]) pay(amount);
  const events = JSON.parse(JSON.stringify(subject.events.all)) as DecisionEvent[];
  const replayed = events.filter(({ kind }) => kind === "decision").map(sessionStep)
    .reduce(advanceSession, INITIAL_SESSION_STATE);
  assert.deepEqual(replayed, subject.sessions.get(SESSION_ID)!.state);
  assert.equal(replayed.transfers!.amounts.eur, 90);
  assert.deepEqual(
    events.map(({ envelope }) => envelope!.metadata.transfers),
    [60, 120, 90].map(
      (sum, i) => ({
        daily_cumulative_amount: sum,
        same_payee_count_30m: Math.min(i + 1, 2),
        session_transfer_count: Math.min(i + 1, 2),
        transfers_last_10m: Math.min(i + 1, 2),
      }),
    ),
  );
});

/** The same, but it waits for the body, as those of real services do. */
const PATIENT = { ...MONEY, reads: "whole" } as Decoder;

Deno.test("calls that come together are counted one after the other, however their bodies come", async () => {
  // The attack: requests of one HTTP/2 frame burst, each decided before any of them is counted.
  const bodies = Array.from({ length: 50 }, () => Promise.withResolvers<Uint8Array>());
  const { gate } = rig({
    rules: PAYING,
    policy: `permit (principal, action, resource);
      forbid (principal, action, resource) when { context.transfers_last_10m > 3 };`,
    decoders: new Map([["money", PATIENT]]),
  });
  const verdicts = bodies.map(({ promise }) =>
    gate.decide(call({ method: "POST", target: "/pay/1/acct_a", readBody: () => promise }))
  );
  for (const { resolve } of bodies) resolve(new Uint8Array());
  const outcomes = (await Promise.all(verdicts)).map(outcome);
  assert.equal(outcomes.filter((each) => each === "forward").length, 3);
});

Deno.test("a call whose body comes late is decided by the time at which it goes out", async () => {
  let nowMs = NOW_MS;
  const body = Promise.withResolvers<Uint8Array>();
  const { gate, standing, sessions } = rig({
    rules: PAYING,
    policy: "permit (principal, action, resource);",
    decoders: new Map([["money", PATIENT]]),
    now: () => nowMs,
  });
  const pay = () =>
    gate.decide(
      call({ method: "POST", target: "/pay/1/acct_a", readBody: () => body.promise }),
    );
  const late = pay();
  // The token has run out meanwhile; policies are fresh.
  nowMs += 2 * 3_600_000;
  standing.bundle = { ...standing.bundle!, freshUntilMs: nowMs + 30_000 };
  body.resolve(new Uint8Array());
  assert.equal(outcome(await late), "TokenExpired");
  // The control: with a token that is still good it goes out, at the time that it is by then.
  sessions.setClaims(SESSION_ID, [claims({ expiry: new Date(nowMs + 60_000).toISOString() })]);
  assert.equal(outcome(await pay()), "forward");
});

Deno.test("calls that people approve at once are counted one after the other", async () => {
  const answers = [0, 1, 2].map(() => Promise.withResolvers<ApprovalAnswer>());
  let asked = 0;
  const { gate, events } = rig({
    rules: PAYING,
    policy: `permit (principal, action, resource);
      @step_up("Pay?") forbid (principal, action, resource);
      @id("limit") forbid (principal, action, resource) when { context.transfers_last_10m > 1 };`,
    decoders: new Map([["money", MONEY]]),
    approvals: { ask: () => answers[asked++]!.promise },
  });
  const verdicts = answers.map((_, i) =>
    gate.decide(call({ method: "POST", target: `/pay/${i + 1}/acct_a` }))
  );
  await eventually("three questions", () => asked === answers.length || undefined);
  for (const [i, { resolve }] of answers.entries()) resolve({ kind: "passed", id: `apr_${i}` });
  assert.deepEqual((await Promise.all(verdicts)).map(outcome).sort(), [
    "PolicyDenied",
    "PolicyDenied",
    "forward",
  ]);
  assert.equal(events.all.filter((event) => "decision" in event).length, 3);
});
