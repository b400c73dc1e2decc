import type { ContextValue } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import { classOrFiner } from "./class_table.ts";
import {
  type DecodeFault,
  type Decoder,
  type DecoderInput,
  type Headers,
  type Operation,
  unreadable,
} from "./decoder.ts";
import { singleHeader } from "./media_type.ts";
import { readMoney } from "./stripe_amount.ts";
import { only, type Parameters, readParameters } from "./stripe_parameters.ts";
import { LONGEST_ATTRIBUTE } from "./text.ts";

const WHAT = "the call to Stripe";
const CANCEL = classOrFiner("payment.cancel");
const SECRET = classOrFiner("credential.read");

/** Calls that move money without being told to. */
const AT_ONCE =
  /\/(?:capture|confirm|pay|accept|approve|refund)$|^\/v1\/(?:charges|payouts|refunds|topups|transfers)$/;
const AT_ONCE_FIELDS: readonly (readonly [string, RegExp])[] = [
  ["confirm", /^(?:true|1)$/i],
  ["auto_advance", /^(?:true|1)$/i],
  ["collection_method", /^charge_automatically$/],
  ["payment_behavior", /^(?:allow_incomplete|error_if_incomplete|pending_if_incomplete)$/],
];
const DESTINATIONS = [
  "destination",
  "destination[account]",
  "transfer_data[destination]",
  "to[recipient]",
  "to[payout_method]",
  "on_behalf_of",
];
/** What `expand` may ask for that is a secret: card numbers, secrets of apps. */
const SECRET_FIELD = /(?:^|\.)(?:number|cvc|payload|secret|client_secret)$/;
/** Changes of a subscription that end or pause it. */
const ENDING = /^(?:cancel_at|cancel_at_period_end|pause_collection(?:\[.*)?)$/;

/**
 * Stripe: amounts, currency, destination and whether money moves at once, out of forms
 * (v1) and JSON (v2), query included. Whether the key is a test key is told from its
 * first letters alone; the key goes nowhere.
 */
export const stripe: Decoder = {
  reads: "whole",
  decode(input) {
    const parameters = readParameters(input);
    if (!parameters.ok) return unreadable(WHAT, parameters.error);
    const attributes = readAttributes(input, parameters.value);
    if (!attributes.ok) return unreadable(WHAT, attributes.error);
    const operation = (actionClass: Operation["actionClass"]): Operation => ({
      actionClass,
      attributes: attributes.value,
    });
    const more: Operation[] = [];
    if (/^\/v1\/subscriptions\/[^/]+$/.test(input.call.path) && ends(parameters.value)) {
      more.push(operation(CANCEL));
    }
    if (asksForSecrets(parameters.value)) more.push(operation(SECRET));
    const batch = batchOf(input, parameters.value);
    if (!batch.ok) return batch;
    return ok({ operations: [operation(input.rule.actionClass), ...more, ...batch.value] });
  },
};

function readAttributes(
  { call, headers }: DecoderInput,
  parameters: Parameters,
): Result<Record<string, ContextValue>, string> {
  const live = livemode(headers);
  if (!live.ok) return live;
  const account = singleHeader(headers, "stripe-account");
  if (!account.ok) return account;
  const context = singleHeader(headers, "stripe-context");
  if (!context.ok) return context;
  const attributes: Record<string, ContextValue> = { payment_livemode: live.value };
  const onBehalfOf = account.value ?? context.value;
  if (onBehalfOf) attributes.payment_account = onBehalfOf.slice(0, LONGEST_ATTRIBUTE);
  if (call.method === "GET" || call.method === "HEAD") return ok(attributes);
  const money = readMoney(parameters);
  if (!money.ok) return money;
  const { amount, currency } = money.value;
  if (amount !== undefined) attributes.transfer_amount = amount;
  if (currency !== undefined) attributes.payment_currency = currency.slice(0, LONGEST_ATTRIBUTE);
  const destination = DESTINATIONS.map((name) => only(parameters, name)).find((text) => text);
  if (destination !== undefined) {
    attributes.payment_destination = destination.slice(0, LONGEST_ATTRIBUTE);
  }
  attributes.payment_confirm = AT_ONCE.test(call.path.replace(/\/$/, "")) ||
    AT_ONCE_FIELDS.some(([name, pattern]) => pattern.test(only(parameters, name) ?? ""));
  return ok(attributes);
}

/** Only a key that says that it is a test key is one. */
function livemode(headers: Headers): Result<boolean, string> {
  const header = singleHeader(headers, "authorization");
  if (!header.ok) return header;
  const [scheme, credentials = ""] = (header.value ?? "").split(/ +/);
  let key = credentials;
  if (scheme!.toLowerCase() === "basic") {
    try {
      key = atob(credentials);
    } catch {
      return ok(true);
    }
  }
  return ok(!/^(?:sk|rk|pk)_test_/.test(key));
}

function ends(parameters: Parameters): boolean {
  return [...parameters].some(([name, [value]]) =>
    ENDING.test(name) && value !== "" && !/^(?:false|0)$/i.test(value ?? "")
  );
}

function asksForSecrets(parameters: Parameters): boolean {
  return [...parameters].some(([name, values]) =>
    /^(?:expand|include)(?:\[|$)/.test(name) && values.some((value) => SECRET_FIELD.test(value))
  );
}

/** A batch job runs another operation for each line of a file; it is of that class too. */
function batchOf(
  { call, inner }: DecoderInput,
  parameters: Parameters,
): Result<readonly Operation[], DecodeFault> {
  if (call.path !== "/v2/core/batch_jobs" || call.method !== "POST") return ok([]);
  const target = only(parameters, "endpoint[path]");
  const method = only(parameters, "endpoint[http_method]");
  if (target === undefined || method === undefined) {
    return unreadable(WHAT, "the batch does not say what it runs");
  }
  const path = target.replaceAll(/:[a-z_]+|\{[a-z_]+\}/g, "x");
  const found = inner({
    method: method.toUpperCase(),
    target: path,
    headers: [],
    body: new Uint8Array(),
  });
  return found.ok ? ok(found.value.operations) : found;
}
