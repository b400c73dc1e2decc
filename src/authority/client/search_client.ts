import { Code, ConnectError } from "@connectrpc/connect";
import type { EventFilter } from "../../audit/search/event_filter.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { FoundLine } from "../collect/collection.ts";
import type { SidecarCredentials } from "../pre_shared_key.ts";
import { Connections, type ConnectionsOptions } from "./connections.ts";

/** How an Authority is asked. */
export interface SearchClientOptions extends Omit<ConnectionsOptions, "onNotice"> {
  readonly credentials?: SidecarCredentials | undefined;
}

/** Asks an Authority for the events that fit, oldest first; at most `limit`, the newest. */
export async function searchCollected(
  options: SearchClientOptions,
  filter: EventFilter,
  limit: number,
): Promise<Result<readonly FoundLine[]>> {
  const connections = await Connections.open({ ...options, onNotice: () => {} });
  if (!connections.ok) return connections;
  const { audit, endpoint } = connections.value.current();
  const time = (ms: number | undefined) => ms === undefined ? "" : new Date(ms).toISOString();
  const { sinceMs, untilMs, agent, action, decision, host, session } = filter;
  const request = {
    ...(agent !== undefined && { agent }),
    ...(action !== undefined && { action }),
    ...(decision !== undefined && { decision }),
    ...(host !== undefined && { host }),
    ...(session !== undefined && { session }),
    since: time(sinceMs),
    until: time(untilMs),
    limit,
    ...(options.credentials && { credentials: options.credentials }),
  };
  try {
    const found: FoundLine[] = [];
    for await (const { sidecar, line } of audit.searchEvents(request)) {
      found.push({ sidecar, line });
    }
    return ok(found);
  } catch (cause) {
    return err({
      code: "SEARCH_REFUSED",
      message: `Cannot search what the Authority at "${endpoint}" collected: ${reasonOf(cause)}`,
      cure: "an operator's certificate has operator = true on the Authority's list of clients",
      cause,
    });
  } finally {
    await connections.value.close();
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof ConnectError)) return String(cause);
  return cause.code === Code.Unimplemented ? "it collects no audit logs" : cause.rawMessage;
}
