import type { Entry } from "./entry.ts";
import { type EventFilter, matchesFilter } from "./event_filter.ts";

/**
 * Tells whether `filter` lets a line through. What is asked of calls leaves out
 * what components say, which is about none; damage is always shown.
 */
export function matchesEntry(filter: EventFilter, entry: Entry): boolean {
  switch (entry.kind) {
    case "damaged":
      return true;
    case "event":
      return matchesFilter(filter, entry.event, entry.decided);
    case "component": {
      const { decision, actionClass, agentId, sandboxId, sinceMs } = filter;
      if (decision !== undefined || actionClass !== undefined || agentId !== undefined) {
        return false;
      }
      if (sandboxId !== undefined && entry.sandboxId !== sandboxId) return false;
      return sinceMs === undefined || entry.atMs >= sinceMs;
    }
  }
}
