import assert from "node:assert/strict";
import fc from "fast-check";
import { ok } from "../../../src/core/result.ts";
import { stripe } from "../../../src/mapping/decoders/stripe.ts";
import { actionClass, classes, decoded, input, MALFORMED, type Sketch } from "./support.ts";

const FORM = ["content-type", "application/x-www-form-urlencoded"] as const;
const LIVE = ["authorization", "Bearer sk_live_SECRETSECRET"] as const;

function form(path: string, body: string, changes: Partial<Sketch> = {}): Sketch {
  return {
    url: `https://api.stripe.com${path}`,
    headers: [FORM, LIVE],
    body,
    actionClass: "payment.purchase",
    ...changes,
  };
}

function attributes(sketch: Sketch): Record<string, unknown> {
  const found = decoded(stripe, sketch);
  assert.ok(typeof found !== "string", `${found}`);
  return found[0]![1];
}

Deno.test("stripe() tells policies what a payment is", () => {
  const body = "amount=1250&currency=EUR&confirm=true&transfer_data%5Bdestination%5D=acct_9";
  assert.deepEqual(attributes(form("/v1/payment_intents", body)), {
    payment_livemode: true,
    transfer_amount: 1250,
    payment_currency: "eur",
    payment_destination: "acct_9",
    payment_confirm: true,
  });
  assert.equal(attributes(form("/v1/payment_intents", "amount=1")).payment_confirm, false);
  assert.equal(attributes(form("/v1/payment_intents/pi_1/capture", "")).payment_confirm, true);
  assert.equal(attributes(form("/v1/payouts", "amount=1")).payment_confirm, true);
});

Deno.test("stripe() reads JSON of the second version", () => {
  const body = JSON.stringify({
    amount: { value: 300, currency: "usd" },
    to: { recipient: "acct_2" },
  });
  const headers = [["content-type", "application/json"]] as const;
  const sketch = form("/v2/money_management/outbound_payments", body, { headers });
  assert.deepEqual(attributes(sketch), {
    payment_livemode: true,
    transfer_amount: 300,
    payment_currency: "usd",
    payment_destination: "acct_2",
    payment_confirm: false,
  });
});

Deno.test("stripe() adds positions up where they say what they cost", () => {
  const line = (index: string, more: string) =>
    `line_items[${index}][price_data][currency]=usd&line_items[${index}]${more}`;
  const two = line("0", "[price_data][unit_amount]=100&line_items[0][quantity]=3") + "&" +
    line("1", "[price_data][unit_amount]=50");
  assert.equal(attributes(form("/v1/checkout/sessions", two)).transfer_amount, 350);
  const named = `${two}&line_items[2][price]=price_1`;
  assert.equal("transfer_amount" in attributes(form("/v1/checkout/sessions", named)), false);
  const mixed = two.replace("usd", "eur");
  assert.equal("transfer_amount" in attributes(form("/v1/checkout/sessions", mixed)), false);
});

Deno.test("stripe() takes any key of metadata", () => {
  const body = "amount=1&metadata[order%20id]=7&metadata[a%3Db]=8";
  assert.equal(attributes(form("/v1/charges", body)).transfer_amount, 1);
});

Deno.test("stripe() says nothing of an amount that the call does not say", () => {
  assert.equal("transfer_amount" in attributes(form("/v1/refunds", "charge=ch_1")), false);
});

Deno.test("stripe() tells a test key from any other by its first letters, and keeps it to itself", () => {
  const live = (value: string) => {
    const found = attributes(
      form("/v1/charges", "amount=1", { headers: [FORM, ["authorization", value]] }),
    );
    assert.ok(!JSON.stringify(found).includes("SECRET"));
    return found.payment_livemode;
  };
  assert.equal(live("Bearer sk_test_SECRET"), false);
  assert.equal(live("bearer rk_test_SECRET"), false);
  assert.equal(live(`Basic ${btoa("sk_test_SECRET:")}`), false);
  assert.equal(live("Bearer sk_live_SECRET"), true);
  assert.equal(live(`Basic ${btoa("sk_live_SECRET:sk_test_")}`), true);
  assert.equal(live("Bearer SECRET_sk_test_"), true);
  assert.equal(live("Basic SECRET!"), true);
});

Deno.test("stripe() names the account on whose behalf a call is made", () => {
  const headers = [FORM, ["stripe-account", "acct_7"]] as const;
  assert.equal(attributes(form("/v1/charges", "", { headers })).payment_account, "acct_7");
});

Deno.test("stripe() sees that a change of a subscription ends it", () => {
  const change = (body: string) =>
    classes(stripe, form("/v1/subscriptions/sub_1", body, { actionClass: "payment.subscription" }));
  assert.deepEqual(change("proration_behavior=none"), ["payment.subscription"]);
  assert.deepEqual(change("cancel_at_period_end=false"), ["payment.subscription"]);
  for (
    const body of ["cancel_at_period_end=true", "cancel_at=1", "pause_collection[behavior]=void"]
  ) {
    assert.deepEqual(change(body), ["payment.subscription", "payment.cancel"], body);
  }
});

Deno.test("stripe() sees that an answer will hold a secret", () => {
  const read = (query: string) =>
    classes(
      stripe,
      form(`/v1/issuing/authorizations/x${query}`, "", {
        method: "GET",
        actionClass: "payment.read",
      }),
    );
  assert.deepEqual(read("?expand[]=cardholder"), ["payment.read"]);
  for (const query of ["?expand[]=card.number", "?expand%5B%5D=cvc", "?expand[0]=data.number"]) {
    assert.deepEqual(read(query), ["payment.read", "credential.read"], query);
  }
});

Deno.test("stripe() gives a batch the class of what it runs as well", () => {
  const headers = [["content-type", "application/json"]] as const;
  const asked: string[] = [];
  const batch = (endpoint: unknown) =>
    classes(stripe, {
      url: "https://api.stripe.com/v2/core/batch_jobs",
      headers,
      body: JSON.stringify({ endpoint }),
      actionClass: "payment.purchase",
      inner: ({ method, target }) => {
        asked.push(`${method} ${target}`);
        return ok({
          operations: [{ actionClass: actionClass("payment.payout"), attributes: {} }],
        });
      },
    });
  assert.deepEqual(batch({ path: "/v1/payouts/:id", http_method: "post" }), [
    "payment.purchase",
    "payment.payout",
  ]);
  assert.deepEqual(asked, ["POST /v1/payouts/x"]);
  assert.equal(batch({}), MALFORMED);
});

const REFUSED: Record<string, Sketch> = {
  "an amount twice": form("/v1/charges", "amount=1&amount=1000000"),
  "an amount twice, once encoded": form("/v1/charges", "amount=1&%61mount=1000000"),
  "an amount in the query and the body": form("/v1/charges?amount=1", "amount=1000000"),
  "an amount that is a group as well": form("/v1/charges", "amount=1&amount[value]=1000000"),
  "an amount behind a semicolon": form("/v1/charges", "amount=1;amount=1000000"),
  "an amount in brackets of its own": form("/v1/charges", "amount=1&[amount]=1000000"),
  "an amount behind a space": form("/v1/charges", "amount=1& amount=1000000"),
  "a fraction": form("/v1/charges", "amount=10.5"),
  "an exponent": form("/v1/charges", "amount=1e9"),
  "an amount in hexadecimal": form("/v1/charges", "amount=0x10"),
  "an empty amount": form("/v1/charges", "amount="),
  "an amount beyond exact numbers": form("/v1/charges", "amount=9007199254740993"),
  "positions that add up beyond exact numbers": form(
    "/v1/checkout/sessions",
    "line_items[0][amount]=9007199254740991&line_items[0][quantity]=2",
  ),
  "a body that is not UTF-8": form("/v1/charges", "amount=%ff"),
  "no content type": form("/v1/charges", "amount=1", { headers: [LIVE] }),
  "a form with files": form("/v1/charges", "amount=1", {
    headers: [["content-type", "multipart/form-data; boundary=x"]],
  }),
  "two keys": form("/v1/charges", "amount=1", {
    headers: [FORM, LIVE, ["authorization", "Bearer sk_test_x"]],
  }),
  "JSON with an amount twice": form("/v1/charges", '{"amount":1,"amount":1000000}', {
    headers: [["content-type", "application/json"]],
  }),
  "JSON with a name that collides": form("/v1/charges", '{"a":{"b":1},"a[b]":2}', {
    headers: [["content-type", "application/json"]],
  }),
};
for (const [what, sketch] of Object.entries(REFUSED)) {
  Deno.test(`stripe() refuses ${what}`, () => {
    assert.equal(classes(stripe, sketch), MALFORMED);
  });
}

Deno.test("stripe() never throws and never gives an amount that is not exact", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[amount=&0-9%\[\]+]{0,60}$/));
  fc.assert(
    fc.property(text, (body) => {
      const result = stripe.decode(input(form("/v1/charges", body)));
      const amount = result.ok && result.value.operations[0].attributes.transfer_amount;
      assert.ok(typeof amount !== "number" || Number.isSafeInteger(amount) && amount >= 0);
    }),
    { numRuns: 500 },
  );
});
