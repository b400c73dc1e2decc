import { err, ok, type Result } from "../../core/result.ts";
import { only, type Parameters } from "./stripe_parameters.ts";

/** What a call says of itself: `undefined` where it does not say. */
export interface Money {
  readonly amount: number | undefined;
  readonly currency: string | undefined;
}

/** Where the whole amount stands, if it does. */
const WHOLE = ["amount", "amount_to_capture", "amount[value]", "amount[amount]"];
const CURRENCY = ["currency", "amount[currency]"];
/** Positions that add up: the prefix of each, up to the bracket of its index. */
const POSITION = /^((?:line_items|items|add_invoice_items|invoice_items|lines)\[[^\]]*\])/;

function integer(text: string): bigint | undefined {
  return /^-?\d{1,30}$/.test(text) ? BigInt(text) : undefined;
}

function exact(amount: bigint): Result<number, string> {
  // Money that flows back is money that flows.
  const size = amount < 0n ? -amount : amount;
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? err("an amount is too large") : ok(Number(size));
}

/**
 * The amount that a call moves, in the smallest unit of its currency, as far as the
 * call says it: as a whole, or by the price and quantity of each position. A
 * position whose price Stripe knows by name makes the sum unknown.
 */
export function readMoney(parameters: Parameters): Result<Money, string> {
  const currency = CURRENCY.map((name) => only(parameters, name)).find((text) =>
    text !== undefined
  );
  let largest: bigint | undefined;
  for (const name of WHOLE) {
    const text = only(parameters, name);
    if (text === undefined) continue;
    const amount = integer(text);
    if (amount === undefined) return err("an amount is no whole number");
    if (largest === undefined || amount > largest) largest = amount;
  }
  if (largest !== undefined) {
    const amount = exact(largest);
    return amount.ok ? ok({ amount: amount.value, currency: lower(currency) }) : amount;
  }
  return readPositions(parameters, currency);
}

function readPositions(
  parameters: Parameters,
  currency: string | undefined,
): Result<Money, string> {
  const prefixes = new Set<string>();
  for (const name of parameters.keys()) {
    const prefix = POSITION.exec(name)?.[1];
    if (prefix !== undefined) prefixes.add(prefix);
  }
  if (only(parameters, "unit_amount") !== undefined) prefixes.add("");
  let sum = 0n;
  const currencies = new Set<string | undefined>(currency === undefined ? [] : [currency]);
  for (const prefix of prefixes) {
    const field = (...path: string[]) => {
      const [first, ...rest] = path;
      const name = prefix === "" ? first! : `${prefix}[${first}]`;
      return only(parameters, name + rest.map((key) => `[${key}]`).join(""));
    };
    const unit = field("price_data", "unit_amount") ?? field("amount") ?? field("unit_amount");
    // A list without indexes does not say what belongs together.
    if (unit === undefined || prefix.endsWith("[]")) return ok({ amount: undefined, currency });
    const price = integer(unit);
    const quantity = integer(field("quantity") ?? "1");
    if (price === undefined || quantity === undefined) {
      return err("an amount is no whole number");
    }
    sum += price * quantity;
    const own = field("price_data", "currency") ?? field("currency");
    if (own !== undefined) currencies.add(own);
  }
  const [single, ...others] = currencies;
  if (prefixes.size === 0 || others.length > 0) {
    return ok({ amount: undefined, currency: lower(currency) });
  }
  const amount = exact(sum);
  return amount.ok ? ok({ amount: amount.value, currency: lower(single) }) : amount;
}

function lower(currency: string | undefined): string | undefined {
  return currency?.toLowerCase();
}
