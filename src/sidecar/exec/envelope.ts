import type { MatchedCommand } from "../../commands/table.ts";
import { SYSTEM_EXECUTE } from "../../commands/classify.ts";
import type { CallOperation, ContextValue, ExecutionEnvelope } from "../../core/envelope.ts";
import type { Execution } from "../../core/local_exec.ts";
import type { SessionView } from "../pipeline/draft.ts";
import { withHistory } from "../pipeline/envelope.ts";

/** What an execution was found to do: the riskiest first, at least one. */
export interface Classified {
  /** What rule said so; `""` where none names the program. */
  readonly ref: string;
  readonly operations: readonly [CallOperation, ...CallOperation[]];
}

/** What is not known of a program of which only the beginning of its arguments was read. */
const UNREAD: readonly string[] = ["exec_arguments", "exec_command", "params"];

/** Puts together what policies see of an execution; `files`: how many each of `matches` deletes. */
export function toClassified(
  execution: Execution,
  matches: readonly MatchedCommand[],
  files: readonly (number | undefined)[],
): Classified {
  const common = commonAttributes(execution);
  const hidden = execution.argc < 0 ? { hidden: UNREAD } : {};
  const operations = matches.map(({ rule }, index): CallOperation => {
    const count = files[index];
    const { deletes, actionClass } = rule;
    const isHarmless = count === 0 && deletes?.otherwise !== undefined;
    return {
      action_class: isHarmless ? deletes.otherwise : actionClass,
      attributes: {
        ...common,
        ...(count !== undefined && !isHarmless && { filesystem_delete_count: count }),
      },
      ...hidden,
    };
  });
  const [first, ...rest] = operations;
  if (first !== undefined) return { ref: matches[0]!.rule.ref, operations: [first, ...rest] };
  return {
    ref: "",
    operations: [{ action_class: SYSTEM_EXECUTE, attributes: common, ...hidden }],
  };
}

function commonAttributes(
  { names, argv, argc, cwd }: Execution,
): Readonly<Record<string, ContextValue>> {
  const seen = { exec_cwd: cwd, exec_program: names[0] ?? "" };
  if (argc < 0) return seen;
  return {
    exec_arguments: [...new Set(argv.slice(1))],
    exec_command: argv.join(" "),
    ...seen,
  };
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
  const [{ action_class, attributes, hidden }] = classified.operations;
  const { operations } = classified;
  // Members in canonical order (RFC 8785): the audit log then has nothing to sort.
  return withHistory({
    capability: { agent_id: session.agentId, token_id: tokenId },
    intent: {
      action_class,
      attributes,
      ...(hidden !== undefined && { hidden }),
      ...(operations.length > 1 && { operations }),
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
