import { denialDecision } from "../../core/decision.ts";
import type { ExecEvent, RecordedExecution } from "../../core/event.ts";
import type { Execution } from "../../core/local_exec.ts";
import type { ExecutionEnvelope } from "../../core/envelope.ts";
import { redactArguments } from "../../audit/redact_arguments.ts";
import { eventBase } from "../pipeline/record.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import { resourceOf } from "./envelope.ts";

/** How much of an execution is recorded. */
const MOST_ARGUMENTS = 64;
const LONGEST_ARGUMENT = 512;
const LONGEST_LINE = 4_096;
const LONGEST_PATH = 1_024;

/** The record of an execution that was decided. */
export function execEvent(
  decided: {
    readonly execution: Execution;
    readonly session: SessionView;
    readonly actionClass: string;
    readonly denial: Denial | undefined;
    readonly observed: boolean;
    readonly tokenId: string;
    readonly bundleVersion: string;
    readonly policyIds: readonly string[];
    readonly latencyUs: number;
    readonly envelope?: ExecutionEnvelope | undefined;
    readonly repeats?: string;
    /** The approval that it goes ahead by. */
    readonly approvalId?: string | undefined;
  },
): ExecEvent {
  const { execution, session, denial, observed, envelope, repeats } = decided;
  const recorded = recordedExecution(execution);
  const approvalId = denial?.approval?.id ?? decided.approvalId;
  return {
    ...eventBase(session),
    kind: "exec",
    decision: denial === undefined ? "ALLOW" : denialDecision(denial.reason),
    ...(observed && { enforced: false }),
    deny_reason: denial?.reason ?? "",
    detail: denial?.detail ?? "",
    ...(approvalId !== undefined && { approval_id: approvalId }),
    action_class: decided.actionClass,
    resource: resourceOf(recorded.file),
    method: "EXEC",
    token_id: decided.tokenId,
    bundle_version: decided.bundleVersion,
    policy_ids: decided.policyIds,
    latency_us: decided.latencyUs,
    execution: recorded,
    ...(envelope !== undefined && { envelope: withoutSecrets(envelope, recorded) }),
    ...(repeats !== undefined && { repeats }),
  };
}

/** What the log says of an execution. */
export function recordedExecution(execution: Execution): RecordedExecution {
  const { pid, path, file, argv, argc, cwd, interpreter, sha256, gate } = execution;
  return {
    pid,
    path: cut(path, LONGEST_PATH),
    file: cut(file, LONGEST_PATH),
    argv: cutList(redactArguments(argv.slice(0, MOST_ARGUMENTS))),
    argc,
    cwd: cut(cwd, LONGEST_PATH),
    ...(interpreter && { interpreter: cut(interpreter.file, LONGEST_PATH) }),
    ...(sha256 !== undefined && { sha256 }),
    ...(gate !== undefined && { gate }),
  };
}

function cutList(argv: readonly string[]): string[] {
  const kept: string[] = [];
  let left = LONGEST_LINE;
  for (const argument of argv) {
    if (left <= 0) break;
    const text = cut(argument, Math.min(LONGEST_ARGUMENT, left));
    left -= text.length;
    kept.push(text);
  }
  return kept;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** Policies saw the arguments as they are; the log must not. */
function withoutSecrets(
  envelope: ExecutionEnvelope,
  { argv }: RecordedExecution,
): ExecutionEnvelope {
  const { attributes } = envelope.intent;
  if (!("exec_arguments" in attributes) && !("exec_command" in attributes)) return envelope;
  return {
    ...envelope,
    intent: {
      ...envelope.intent,
      attributes: {
        ...attributes,
        exec_arguments: argv.slice(1),
        exec_command: argv.join(" "),
      },
    },
  };
}
