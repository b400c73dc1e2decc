import { parseTimestamp } from "../../core/timestamp.ts";

/** Which events are looked for; every part that is there has to fit. */
export interface EventFilter {
  /** `agent_id`. */
  readonly agent?: string | undefined;
  /** An action class; one that ends in `.*` stands for all below it. */
  readonly action?: string | undefined;
  /** `ALLOW`, `DENY`, …, in capitals. */
  readonly decision?: string | undefined;
  /** The host of a call; one that begins with `*.` stands for all below it. */
  readonly host?: string | undefined;
  /** `session_id`. */
  readonly session?: string | undefined;
  /** Milliseconds since the epoch, inclusive. */
  readonly sinceMs?: number | undefined;
  /** Milliseconds since the epoch, exclusive. */
  readonly untilMs?: number | undefined;
}

/** What of an event is searched by; `""` for what it does not have. */
export interface SearchedParts {
  readonly timestamp: string;
  readonly agent: string;
  readonly session: string;
  readonly action: string;
  readonly decision: string;
  readonly host: string;
}

type Members = Readonly<Record<string, unknown>>;

/** The parts of an event that it is found by. */
export function searchedParts(members: Members): SearchedParts {
  const text = (name: string) => {
    const value = members[name];
    return typeof value === "string" ? value : "";
  };
  return {
    timestamp: text("timestamp"),
    agent: text("agent_id"),
    session: text("session_id"),
    action: text("action_class"),
    decision: text("decision"),
    host: members.kind === "decision" ? hostOf(text("resource")) : "",
  };
}

/** Whether an event is one that is looked for. */
export function fits(parts: SearchedParts, filter: EventFilter): boolean {
  const { agent, action, decision, host, session, sinceMs, untilMs } = filter;
  if (agent !== undefined && parts.agent !== agent) return false;
  if (session !== undefined && parts.session !== session) return false;
  if (decision !== undefined && parts.decision !== decision) return false;
  if (action !== undefined && !fitsAction(parts.action, action)) return false;
  if (host !== undefined && !fitsHost(parts.host, host)) return false;
  if (sinceMs === undefined && untilMs === undefined) return true;
  const at = parseTimestamp(parts.timestamp);
  if (at === undefined) return false;
  return (sinceMs === undefined || at >= sinceMs) && (untilMs === undefined || at < untilMs);
}

function fitsAction(action: string, wanted: string): boolean {
  return wanted.endsWith(".*") ? action.startsWith(wanted.slice(0, -1)) : action === wanted;
}

function fitsHost(host: string, wanted: string): boolean {
  return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) : host === wanted;
}

/** The host of a resource, which is `<host>[:<port>]<path>?<query>`. */
function hostOf(resource: string): string {
  const authority = /^[^/?#]*/.exec(resource)![0];
  return authority.replace(/:\d+$/, "");
}
