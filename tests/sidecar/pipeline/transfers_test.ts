import assert from "node:assert/strict";
import {
  advanceSession,
  INITIAL_SESSION_STATE,
  sessionStep,
} from "../../../src/core/session_state.ts";
import type { DecisionEvent } from "../../../src/core/event.ts";
import { ok } from "../../../src/core/result.ts";
import type { Decoder } from "../../../src/mapping/decoders/decoder.ts";
import { call, NOW_MS, outcome, rig, RULES, SESSION_ID } from "./support.ts";

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
