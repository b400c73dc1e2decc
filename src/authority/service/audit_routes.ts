import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { EventFilter } from "../../audit/search/event_filter.ts";
import { MAX_LINE_BYTES } from "../../audit/lines.ts";
import { FirmaException, type Result } from "../../core/result.ts";
import { parseTimestamp } from "../../core/timestamp.ts";
import {
  AuditService,
  type ExecutionEvent,
  type SearchEventsRequest,
} from "../../proto/firma/v1/audit_pb.ts";
import type { Collector, ShippedLog } from "../collect/collector.ts";
import type { LogWitness } from "../collect/log_witness.ts";
import type { SidecarCredentials } from "../pre_shared_key.ts";
import type { Client } from "./client.ts";

/** What takes logs in, and vouches for them. */
export interface AuditParts {
  readonly collector: Collector;
  readonly witness: LogWitness;
}

/** What the routes need. */
export interface AuditRouteOptions extends AuditParts {
  /** Who asks; throws for nobody. */
  readonly admit: (
    context: HandlerContext,
    request: { readonly credentials?: SidecarCredentials | undefined },
  ) => Client;
  readonly onFault: (what: string, cause: unknown) => void;
}

/** Lines of one stream at most, and their bytes: what is kept in memory until it is on the disk. */
const MOST_LINES = 4_096;
const MOST_BYTES = MAX_LINE_BYTES + 1_048_576;
/** Events that one search may find. */
const MOST_FOUND = 10_000;

/** `firma.v1.AuditService`, for the router of Connect. */
export function auditRoutes(
  { collector, witness, admit, onFault }: AuditRouteOptions,
): (router: ConnectRouter) => void {
  const answer = async <T, E extends { readonly kind: string; readonly reason: string }>(
    what: string,
    work: () => Promise<Result<T, E>>,
  ): Promise<T> => {
    let result: Result<T, E>;
    try {
      result = await work();
    } catch (cause) {
      if (cause instanceof ConnectError) throw cause;
      onFault(what, cause);
      const reason = cause instanceof FirmaException ? cause.error.code : "STORE_UNREACHABLE";
      throw new ConnectError(reason, Code.Unavailable);
    }
    if (result.ok) return result.value;
    const { kind, reason } = result.error;
    throw new ConnectError(reason, kind === "not yours" ? Code.PermissionDenied : Code.DataLoss);
  };
  return (router) =>
    router.service(AuditService, {
      async streamEvents(events, context) {
        const { log, lines } = await readStream(events, (first) => admit(context, first));
        const kept = await answer("StreamEvents", () => collector.receive(log, lines));
        return {
          acknowledgedSeq: BigInt(kept.seq),
          eventsReceived: BigInt(lines.length),
          lastEventId: eventIdOf(lines.at(-1)),
        };
      },
      async resumeEvents(request, context) {
        const log = logOf(admit(context, request), request.logKey);
        const last = Number(request.lastSeq);
        const kept = await answer("ResumeEvents", () => collector.resume(log, last));
        return { acknowledgedSeq: BigInt(kept.seq), acknowledgedHash: kept.hash };
      },
      async addCheckpoint(request, context) {
        const log = logOf(admit(context, request), request.logKey);
        const added = await answer(
          "AddCheckpoint",
          () => witness.add(log, request.request, Date.now()),
        );
        if (added.kind === "cosigned") return { cosignatures: added.line };
        return { knownSize: BigInt(added.knownSize) };
      },
      async *searchEvents(request, context) {
        const client = admit(context, request);
        if (!client.isOperator) {
          throw new ConnectError("this client is not an operator", Code.PermissionDenied);
        }
        const limit = Math.min(request.limit > 0 ? request.limit : MOST_FOUND, MOST_FOUND);
        try {
          yield* collector.collection.search(filterOf(request), limit);
        } catch (cause) {
          if (cause instanceof ConnectError) throw cause;
          onFault("SearchEvents", cause);
          throw new ConnectError("the collection cannot be searched", Code.Unavailable);
        }
      },
    }, { readMaxBytes: MOST_BYTES });
}

async function readStream(
  events: AsyncIterable<ExecutionEvent>,
  admit: (first: ExecutionEvent) => Client,
): Promise<{ readonly log: ShippedLog; readonly lines: readonly Uint8Array[] }> {
  const encoder = new TextEncoder();
  const lines: Uint8Array[] = [];
  let log: ShippedLog | undefined;
  let bytes = 0;
  for await (const event of events) {
    log ??= logOf(admit(event), event.logKey);
    if (event.line === "") {
      throw new ConnectError("an event has no line of a signed log", Code.InvalidArgument);
    }
    const line = encoder.encode(event.line);
    bytes += line.length;
    lines.push(line);
    if (lines.length > MOST_LINES || bytes > MOST_BYTES) {
      throw new ConnectError("too many events at once", Code.ResourceExhausted);
    }
  }
  if (log === undefined) throw new ConnectError("there are no events", Code.InvalidArgument);
  return { log, lines };
}

function logOf({ name }: Client, key: Uint8Array): ShippedLog {
  if (key.length !== 32) {
    throw new ConnectError("the key of the log is not 32 bytes", Code.InvalidArgument);
  }
  return { sidecar: name, key };
}

function eventIdOf(line: Uint8Array | undefined): string {
  const id = line && JSON.parse(new TextDecoder().decode(line)).event_id;
  return typeof id === "string" ? id : "";
}

function filterOf(request: SearchEventsRequest): EventFilter {
  const time = (text: string) => {
    if (text === "") return undefined;
    const at = parseTimestamp(text);
    if (at !== undefined) return at;
    throw new ConnectError("a time is not RFC 3339", Code.InvalidArgument);
  };
  return {
    agent: request.agent || undefined,
    action: request.action || undefined,
    decision: request.decision || undefined,
    host: request.host || undefined,
    session: request.session || undefined,
    sinceMs: time(request.since),
    untilMs: time(request.until),
  };
}
