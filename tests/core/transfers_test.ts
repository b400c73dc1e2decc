import assert from "node:assert/strict";
import fc from "fast-check";
import {
  advanceTransfers,
  movesMoney,
  type Transfer,
  transferFigures,
  type TransferState,
} from "../../src/core/transfers.ts";

const NOON = Date.parse("2026-03-01T12:00:00Z");
const MINUTE = 60_000;

function eur(minutes: number, amount?: number, payee?: string): Transfer {
  return {
    atMs: NOON + minutes * MINUTE,
    currency: "eur",
    ...(amount !== undefined && { amount }),
    ...(payee !== undefined && { payee }),
  };
}

/** What policies see of `last`, after all before it. */
function figures(...transfers: readonly Transfer[]) {
  const last = transfers.at(-1)!;
  const before = advanceTransfers(undefined, transfers.slice(0, -1));
  return transferFigures(before, [last], last.atMs);
}

Deno.test("transferFigures() has the call at hand in every figure", () => {
  assert.deepEqual(figures(eur(0, 100, "acct_a")), {
    daily_cumulative_amount: 100,
    same_payee_count_30m: 1,
    session_transfer_count: 1,
    transfers_last_10m: 1,
  });
  assert.deepEqual(figures(eur(0, 100, "acct_a"), eur(9, 50, "acct_b"), eur(9.5, 5, "acct_a")), {
    daily_cumulative_amount: 155,
    same_payee_count_30m: 2,
    session_transfer_count: 3,
    transfers_last_10m: 3,
  });
});

Deno.test("transferFigures() forgets what is older than its window, to the millisecond", () => {
  assert.equal(figures(eur(0, 1), eur(10, 1)).transfers_last_10m, 1);
  assert.equal(
    figures(eur(0, 1), { ...eur(10, 1), atMs: NOON + 10 * MINUTE - 1 })
      .transfers_last_10m,
    2,
  );
  assert.equal(figures(eur(0, 1, "a"), eur(30, 1, "a")).same_payee_count_30m, 1);
  assert.equal(figures(eur(0, 1, "a"), eur(29, 1, "a")).same_payee_count_30m, 2);
  assert.equal(figures(eur(0, 1), eur(1_000, 1)).session_transfer_count, 2);
});

Deno.test("transferFigures() begins the day anew at midnight UTC", () => {
  assert.equal(figures(eur(0, 70), eur(11 * 60 + 59, 7)).daily_cumulative_amount, 77);
  assert.equal(figures(eur(0, 70), eur(12 * 60, 7)).daily_cumulative_amount, 7);
});

Deno.test("transferFigures() takes what is unknown for the worst", () => {
  // An amount that nobody told may be any, for the rest of the day.
  assert.equal(figures(eur(0), eur(1, 5)).daily_cumulative_amount, undefined);
  assert.equal(figures(eur(0, 5), eur(1)).daily_cumulative_amount, undefined);
  assert.equal(figures(eur(0), eur(12 * 60, 5)).daily_cumulative_amount, 5);
  // A currency that nobody told may be the same.
  const { currency: _, ...unclear } = eur(0, 5);
  assert.equal(figures(unclear, eur(1, 5)).daily_cumulative_amount, undefined);
  assert.equal(
    figures(eur(0, 5), { ...unclear, atMs: NOON + 1 }).daily_cumulative_amount,
    undefined,
  );
  // Another one is not.
  assert.equal(figures({ ...eur(0, 5), currency: "usd" }, eur(1, 7)).daily_cumulative_amount, 7);
  // A payee that nobody told is every payee.
  assert.equal(figures(eur(0, 1), eur(1, 1, "a")).same_payee_count_30m, 2);
  assert.equal(figures(eur(0, 1, "b"), eur(1, 1)).same_payee_count_30m, 2);
  assert.equal(figures(eur(0, 1, "b"), eur(1, 1, "a")).same_payee_count_30m, 1);
  // A sum beyond what is exact is none.
  const most = Number.MAX_SAFE_INTEGER;
  assert.equal(figures(eur(0, most), eur(1, 1)).daily_cumulative_amount, undefined);
});

Deno.test("transferFigures() keeps little of a session, whatever it moves", () => {
  let state: TransferState | undefined;
  for (let i = 0; i < 6_000; i++) {
    state = advanceTransfers(state, [{ atMs: NOON + i, amount: 1, currency: `c${i}` }]);
  }
  assert.ok(state!.recent.length <= 4_096);
  assert.ok(Object.keys(state!.amounts).length <= 65);
  assert.equal(state!.count, 6_000);
  // What no longer has a place of its own makes sums unknown, and never smaller.
  const next = { atMs: NOON + 6_000, amount: 1, currency: "c5000" };
  assert.equal(transferFigures(state, [next], next.atMs).daily_cumulative_amount, undefined);
});

Deno.test("movesMoney() holds for classes below those that do, and for those of operators", () => {
  assert.ok(movesMoney("payment.transfer") && movesMoney("payment.topup"));
  assert.ok(!movesMoney("payment.read") && !movesMoney("code.read") && !movesMoney("nothing"));
});

Deno.test("advanceTransfers() does not depend on how a history is cut", () => {
  const transfer = fc.record({
    atMs: fc.integer({ min: NOON, max: NOON + 86_400_000 }),
    amount: fc.nat(1_000),
    currency: fc.constantFrom("eur", "usd"),
    payee: fc.constantFrom("a", "b"),
  }, { noNullPrototype: true });
  fc.assert(fc.property(fc.array(transfer, { maxLength: 30 }), fc.nat(30), (all, cut) => {
    const sorted = all.toSorted((a, b) => a.atMs - b.atMs);
    const whole = advanceTransfers(undefined, sorted);
    const first = advanceTransfers(undefined, sorted.slice(0, cut));
    const handedOver = JSON.parse(JSON.stringify(first));
    assert.deepEqual(advanceTransfers(handedOver, sorted.slice(cut)), whole);
  }));
});
