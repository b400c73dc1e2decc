import type { Decision } from "../../core/decision.ts";
import type { DecisionEvent, ExecutionEvent } from "../../core/event.ts";
import { err, ok, type Result } from "../../core/result.ts";

/** Which events to show; what is absent does not restrict. */
export interface EventFilter {
  readonly decision?: Decision;
  readonly actionClass?: string;
  readonly agentId?: string;
  readonly sandboxId?: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number;
}

/**
 * Tells whether `filter` lets `event` through. An ABORT is an outcome: what it
 * is an outcome of, where that is known, tells its action class. Asking for a
 * decision or a class leaves out what has neither, such as changes of policy.
 */
export function matchesFilter(
  filter: EventFilter,
  event: ExecutionEvent,
  decided: DecisionEvent | undefined,
): boolean {
  if (filter.sandboxId !== undefined && event.sandbox_id !== filter.sandboxId) return false;
  if (filter.agentId !== undefined && event.agent_id !== filter.agentId) return false;
  if (filter.sinceMs !== undefined && !(Date.parse(event.timestamp) >= filter.sinceMs)) {
    return false;
  }
  if (filter.decision !== undefined && decisionOf(event) !== filter.decision) return false;
  if (filter.actionClass !== undefined) {
    const subject = event.kind === "decision" || event.kind === "exec" ? event : decided;
    return subject?.action_class === filter.actionClass;
  }
  return true;
}

function decisionOf(event: ExecutionEvent): Decision | undefined {
  if (event.kind === "decision" || event.kind === "exec") return event.decision;
  return event.kind === "outcome" && event.abort_reason !== "" ? "ABORT" : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a point in time: how long ago (`90s`, `15m`, `2h`, `1d`) or RFC 3339.
 * The result is in milliseconds since the epoch.
 */
export function parseSince(text: string, nowMs: number): Result<number> {
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  if (ago !== null) return ok(nowMs - Number(ago[1]) * UNIT_MS[ago[2]!]!);
  const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
  const at = rfc3339.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(at)) return ok(at);
  return err({
    code: "TIME_INVALID",
    message: `Cannot parse the time "${text}": it is neither a duration nor RFC 3339`,
    cure: 'say how long ago, such as "15m", "2h" or "1d", or when, such as "2025-01-31T12:00:00Z"',
  });
}
