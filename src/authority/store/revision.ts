/**
 * The revision after `previous`. It follows the clock where it can, so that an
 * Authority that lost what it remembered does not start below what Sidecars have
 * seen of it; when the clock was set back it counts.
 */
export function nextRevision(previous: number | undefined, nowMs: number = Date.now()): number {
  return Math.max((previous ?? 0) + 1, nowMs);
}
