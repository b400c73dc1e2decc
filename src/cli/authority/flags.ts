import { InvalidArgumentError } from "commander";

/** Collects a flag that may be repeated. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...previous ?? [], value];
}

/** Longest life of a certificate, in days: a hundred years. */
const MOST_DAYS = 36_525;

/** Reads a number of days. */
export function days(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= MOST_DAYS) return value;
  throw new InvalidArgumentError(`It is not a number of days from 1 to ${MOST_DAYS}.`);
}

/** Reads a number of seconds that is not negative. */
export function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It is not a number of seconds.");
}
