/** The time now as RFC 3339 in UTC with microseconds. */
export function timestamp(
  now: number = performance.timeOrigin + performance.now(),
): string {
  const millis = Math.floor(now);
  const micros = Math.floor((now - millis) * 1000);
  const text = new Date(millis).toISOString();
  return `${text.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}
