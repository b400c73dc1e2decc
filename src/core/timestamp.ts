/** The second that was written last, and how: most timestamps fall into the same one. */
let lastSecond = NaN;
let lastText = "";

/** The time now as RFC 3339 in UTC with microseconds. */
export function timestamp(
  now: number = performance.timeOrigin + performance.now(),
): string {
  const second = Math.floor(now / 1_000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1_000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  const micros = Math.floor((now - second * 1_000) * 1_000);
  return `${lastText}${String(micros).padStart(6, "0")}Z`;
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
