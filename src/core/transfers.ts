import { actionClassLineage, parseActionClass } from "./action_class.ts";
import type { ContextValue, ExecutionEnvelope } from "./envelope.ts";
import { operationEnvelopes } from "./envelope.ts";

/** The classes that move money, with all that are below them. */
const MONEY_CLASSES: ReadonlySet<string> = new Set([
  "browser.purchase",
  "payment.payout",
  "payment.purchase",
  "payment.refund",
  "payment.subscription",
  "payment.transfer",
]);

/** Money that one call moved, or would move. */
export interface Transfer {
  /** When it was decided, in milliseconds since the epoch. */
  readonly atMs: number;
  /** In the smallest unit of its currency; absent where the call does not say. */
  readonly amount?: number;
  /** Lower case; absent where the call does not say. */
  readonly currency?: string;
  /** Absent where the call does not say. */
  readonly payee?: string;
}

/** What a session has moved so far. */
export interface TransferState {
  readonly count: number;
  /** Those of the last {@linkcode KEPT_MS}, oldest first; at most {@linkcode MOST_KEPT}. */
  readonly recent: readonly Transfer[];
  /** The day (UTC, counted from 1970-01-01) that `amounts` is of. */
  readonly day: number;
  /** What was moved on that day, by currency (`""`: unknown); `null` where an amount is unknown. */
  readonly amounts: Readonly<Record<string, number | null>>;
}

/** What policies see of the money that a session moves, with the call at hand. */
export interface TransferFigures {
  readonly session_transfer_count: number;
  readonly transfers_last_10m: number;
  readonly same_payee_count_30m: number;
  /** Absent where an amount of the day is unknown, or money of several currencies would add up. */
  readonly daily_cumulative_amount?: number;
}

const DAY_MS = 86_400_000;
const TEN_MINUTES_MS = 600_000;
const KEPT_MS = 1_800_000;
/** More than any limit that is worth setting; beyond it, counts stand still. */
const MOST_KEPT = 4_096;
/** Names of currencies are the agent's to choose. */
const MOST_CURRENCIES = 64;

const NO_TRANSFERS: TransferState = { count: 0, recent: [], day: 0, amounts: {} };

/** Whether calls of a class move money. */
export function movesMoney(actionClass: string): boolean {
  const known = parseActionClass(actionClass);
  return known !== undefined && actionClassLineage(known).some((name) => MONEY_CLASSES.has(name));
}

/** What a call would move, one entry for each thing in it that moves money. */
export function transfersOf(envelope: ExecutionEnvelope): Transfer[] {
  const { timestamp_ms: atMs } = envelope.metadata;
  return operationEnvelopes(envelope)
    .filter(({ intent }) => movesMoney(intent.action_class))
    .map(({ intent: { attributes } }) => ({
      atMs,
      ...amountOf(attributes.transfer_amount),
      ...currencyOf(attributes.payment_currency),
      ...payeeOf(attributes.payment_destination),
    }));
}

/** What is no currency is not told, and may be any. */
function currencyOf(value: ContextValue | undefined): Pick<Transfer, "currency"> {
  return typeof value === "string" && /^[a-z]{3}$/.test(value) ? { currency: value } : {};
}

function amountOf(value: ContextValue | undefined): Pick<Transfer, "amount"> {
  return typeof value === "number" ? { amount: value } : {};
}

function payeeOf(value: ContextValue | undefined): Pick<Transfer, "payee"> {
  return typeof value === "string" ? { payee: value } : {};
}

/** The state after `moved`. */
export function advanceTransfers(
  before: TransferState = NO_TRANSFERS,
  moved: readonly Transfer[],
): TransferState {
  return moved.reduce(advanceOne, before);
}

function advanceOne(state: TransferState, transfer: Transfer): TransferState {
  const { atMs, amount, currency = "" } = transfer;
  const day = Math.floor(atMs / DAY_MS);
  const amounts = { ...(day === state.day ? state.amounts : {}) };
  const known = Object.hasOwn(amounts, currency);
  const name = known || Object.keys(amounts).length < MOST_CURRENCIES ? currency : "";
  const sum = Object.hasOwn(amounts, name) ? amounts[name]! : 0;
  const isKnown = amount !== undefined && sum !== null && name === currency;
  const next = isKnown ? sum + amount : null;
  amounts[name] = next !== null && Number.isSafeInteger(next) ? next : null;
  const recent = [...state.recent, transfer]
    .filter((each) => each.atMs > atMs - KEPT_MS).slice(-MOST_KEPT);
  return { count: state.count + 1, recent, day, amounts };
}

/**
 * What policies see, once a call that would move `moving` is through; each figure has the call in
 * it. Whatever is not known counts as what would be worst: a payee that a call does not name is
 * every payee's, and a sum with an unknown part is unknown.
 */
export function transferFigures(
  before: TransferState = NO_TRANSFERS,
  moving: readonly Transfer[],
  nowMs: number,
): TransferFigures {
  const after = advanceTransfers(before, moving);
  const within = (ms: number) => after.recent.filter(({ atMs }) => atMs > nowMs - ms);
  const payees = new Set(moving.map(({ payee }) => payee));
  const isSame = ({ payee }: Transfer) =>
    payee === undefined || payees.has(undefined) || payees.has(payee);
  const amount = dayAmount(after, moving, nowMs);
  return {
    ...(amount !== undefined && { daily_cumulative_amount: amount }),
    same_payee_count_30m: moving.length === 0 ? 0 : within(KEPT_MS).filter(isSame).length,
    session_transfer_count: after.count,
    transfers_last_10m: within(TEN_MINUTES_MS).length,
  };
}

/** In the currency of the call; of a call that moves nothing, where there was but one. */
function dayAmount(
  { day, amounts }: TransferState,
  moving: readonly Transfer[],
  nowMs: number,
): number | undefined {
  if (day !== Math.floor(nowMs / DAY_MS)) return 0;
  const names = moving.length === 0
    ? Object.keys(amounts)
    : [...new Set(moving.map(({ currency = "" }) => currency))];
  // What is of no known currency may be of this one.
  const isUnclear = names.length > 1 || (Object.hasOwn(amounts, "") && names[0] !== "");
  if (isUnclear) return undefined;
  const [name] = names;
  if (name === undefined) return 0;
  const isMixed = name === "" && Object.keys(amounts).length > 1;
  return isMixed ? undefined : amounts[name] ?? undefined;
}
