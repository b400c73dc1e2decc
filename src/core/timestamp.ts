/** The time now as RFC 3339 in UTC with microseconds. */
export function timestamp(
  now: number = performance.timeOrigin + performance.now(),
): string {
  const millis = Math.floor(now);
  const micros = Math.floor((now - millis) * 1000);
  const text = new Date(millis).toISOString();
  return `${text.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch of an RFC 3339 timestamp, or `undefined` when it is none. */
export function parseTimestamp(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // Date.parse lets 30 February through as 2 March.
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? undefined : millis;
}
