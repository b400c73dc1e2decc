import { err, ok, type Result } from "../core/result.ts";

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The longest time a timer can wait: 2^31 - 1 milliseconds, a little under 25 days. */
const LONGEST = 2 ** 31 - 1;

/** How long something may be kept: a hundred years, in milliseconds. */
const OLDEST = 36_525 * 86_400_000;

/**
 * Parses a duration such as `"250ms"`, `"30s"` or `"1h30m"` into milliseconds;
 * at least 1 ms and at most 24 days.
 */
export function parseDuration(text: string): Result<number, string> {
  const parsed = parseAge(text);
  if (parsed.ok && parsed.value > LONGEST) return err(`"${text}" is longer than 24 days`);
  return parsed;
}

/** Parses an age such as `"90d"` into milliseconds, which no timer has to wait for. */
export function parseAge(text: string): Result<number, string> {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) {
    return err(`"${text}" is not a duration such as "250ms", "30s" or "1h30m"`);
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * DURATION_UNITS[unit!]!;
  }
  const milliseconds = Math.round(total);
  if (milliseconds < 1) return err(`"${text}" is no time at all`);
  if (milliseconds > OLDEST) return err(`"${text}" is longer than a hundred years`);
  return ok(milliseconds);
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Parses a size such as `"4 MiB"` or `"500KB"` into bytes; at least 1 and exact in a double. */
export function parseSize(text: string): Result<number, string> {
  const match = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB|KiB|MiB|GiB)$/.exec(text);
  if (!match) return err(`"${text}" is not a size such as "4 MiB" or "500 KB"`);
  const bytes = Math.round(Number(match[1]) * SIZE_UNITS[match[2]!]!);
  if (bytes < 1) return err(`"${text}" is nothing at all`);
  if (!Number.isSafeInteger(bytes)) return err(`"${text}" is too large`);
  return ok(bytes);
}
