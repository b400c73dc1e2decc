import { err, ok, type Result } from "../../../core/result.ts";

/** What a header may carry as a token: no space, no control, nothing that ends the header. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
/** Whatever a service promises, it is asked again after this long, in milliseconds. */
const LONGEST_LIFE_MS = 86_400_000;

/** Checks a secret that came from a service, which could otherwise write headers of its own. */
export function secretToken(value: unknown, name: string): Result<string, string> {
  if (typeof value !== "string" || value === "") return err(`its answer has no ${name}`);
  if (!TOKEN.test(value)) return err(`its ${name} has characters that no header may carry`);
  return ok(value);
}

/**
 * How long something lives that lives for `seconds` (RFC 6749 `expires_in`; digits in a string are
 * common too), in milliseconds. A part of a second is dropped, and a long life is cut to a day.
 * Nothing is known of the life of what has no such member.
 */
export function lifetimeMs(seconds: unknown, name: string): Result<number | undefined, string> {
  if (seconds === undefined || seconds === null) return ok(undefined);
  const number = typeof seconds === "string" && /^[0-9]{1,15}$/.test(seconds)
    ? Number(seconds)
    : seconds;
  if (typeof number !== "number" || !Number.isFinite(number)) {
    return err(`its ${name} is not a number of seconds`);
  }
  const whole = Math.floor(number);
  if (whole <= 0) return err(`its ${name} is over already`);
  return ok(Math.min(whole * 1000, LONGEST_LIFE_MS));
}

/** When something expires that a service named a moment for (RFC 3339), in milliseconds. */
export function expiryMs(moment: unknown, name: string, nowMs: number): Result<number, string> {
  const at = typeof moment === "string" && /^\d{4}-\d\d-\d\dT/.test(moment)
    ? Date.parse(moment)
    : NaN;
  if (Number.isNaN(at)) return err(`its ${name} is not a moment`);
  if (at <= nowMs) return err(`its ${name} is over already`);
  return ok(Math.min(at, nowMs + LONGEST_LIFE_MS));
}
