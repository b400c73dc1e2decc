import type { ActionClass } from "../../core/action_class.ts";
import type { ContextValue, ExecutionEnvelope } from "../../core/envelope.ts";
import type { Execution } from "../../core/local_exec.ts";
import type { SessionView } from "../pipeline/draft.ts";
import { withTransfers } from "../pipeline/envelope.ts";

/** What an execution was found to do. */
export interface Classified {
  readonly actionClass: ActionClass;
  /** What rule said so, `<file>:<line>`; `""` where none names the program. */
  readonly ref: string;
  readonly attributes: Readonly<Record<string, ContextValue>>;
}

/** What the policies see of an execution. */
export function execEnvelope(
  { execution, classified, session, tokenId, nowMs }: {
    readonly execution: Execution;
    readonly classified: Classified;
    readonly session: SessionView;
    readonly tokenId: string;
    readonly nowMs: number;
  },
): ExecutionEnvelope {
  const { file, pid } = execution;
  // Members in canonical order (RFC 8785): the audit log then has nothing to sort.
  return withTransfers({
    capability: { agent_id: session.agentId, token_id: tokenId },
    intent: {
      action_class: classified.actionClass,
      attributes: classified.attributes,
      raw_action_ref: classified.ref,
      raw_transport: "exec",
      resource: { host: "", id: resourceOf(file), method: "EXEC", path: file },
    },
    metadata: {
      action_count: session.state.actionCount + 1,
      deny_count: session.state.denyCount,
      last_resource: session.state.lastResource,
      prior_action_classes: [...new Set(session.state.recentActionClasses)],
      session_id: session.sessionId,
      session_started_ms: session.startedMs,
      timestamp_ms: nowMs,
    },
    provenance: { executable: file, pid, via: "exec" },
  }, session.state);
}

/** The name of a program on this machine as a resource. */
export function resourceOf(file: string): string {
  return `exec://${file}`;
}
