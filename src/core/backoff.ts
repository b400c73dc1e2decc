/**
 * How long to wait after so many failures in a row, in milliseconds: twice as
 * long each time, within bounds, and half to one and a half times that by
 * chance, so that many who lost the same Authority do not come back at once.
 */
export function backoffMs(
  failures: number,
  { minBackoffMs = 250, maxBackoffMs = 30_000 }: {
    readonly minBackoffMs?: number;
    readonly maxBackoffMs?: number;
  },
  random: number = Math.random(),
): number {
  const base = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.max(0, failures - 1));
  return base * (0.5 + random);
}
