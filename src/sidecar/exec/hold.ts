import { execFingerprint } from "../../approvals/fingerprint.ts";
import type { ApprovalSubject } from "../../approvals/subject.ts";
import { redactArguments } from "../../audit/redact_arguments.ts";
import type { Execution } from "../../core/local_exec.ts";
import { basename } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import type { ExecVerdict } from "./decide.ts";

/** Files that decide what an execution does, and in what state each of them is. */
export type FileStates = readonly (readonly [path: string, state: string])[];

/** What an approval of an execution is about: session and policies as they are at the moment. */
export interface HeldExecution {
  readonly execution: Execution;
  readonly files: FileStates;
  readonly session: SessionView;
  readonly actionClass: string;
  readonly policyIds: readonly string[];
}

/** What people are shown of an execution, and what an approval of it is bound to. */
export function execSubject(
  { execution, files, session, actionClass, policyIds }: HeldExecution,
  challenges: readonly string[],
): ApprovalSubject {
  const { path, file, argv, cwd, interpreter, environment = {} } = execution;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return {
    kind: "exec",
    sessionId: session.sessionId,
    sandboxId: session.sandboxId,
    agentId: session.agentId,
    fingerprint: execFingerprint({
      // A shell that is told no tries the next directory of PATH, which may lead to the same file.
      name: basename(path),
      file,
      argv,
      cwd,
      interpreter: interpreter && [interpreter.file, interpreter.argument ?? ""],
      files,
      environment,
    }),
    actionClass,
    challenges,
    policyIds,
    summary: redactArguments(argv).map(shellWord).join(" "),
    details: [
      ["program", file],
      ["directory", cwd],
      ["run by", interpreter === undefined ? "" : interpreter.file],
      ["files", files.slice(1).map(([name]) => shellWord(name)).join(" ")],
      ["variables", redactArguments(variables).join(" ")],
      ["not shown", hidden([...argv, ...variables])],
    ],
  };
}

/** What looks like a secret is left out, and an agent may make anything look like one: that is told. */
function hidden(words: readonly string[]): string {
  const shown = redactArguments(words);
  const count = words.reduce((sum, word, i) => word === shown[i] ? sum : sum + word.length, 0);
  return count === 0 ? "" : `some of ${count} characters, which look like secrets`;
}

/** Why nobody can be asked about an execution: it is not known whole, or not as what it is. */
function unaskable(
  { argc }: Execution,
  files: FileStates | undefined,
): Denial | undefined {
  const unknown = argc < 0
    ? "not all of its arguments are known"
    : files === undefined
    ? "the files that it would run cannot be read"
    : undefined;
  if (unknown === undefined) return undefined;
  const detail = `a person would have to approve it, and ${unknown}`;
  return { reason: "MalformedRequest", detail };
}

/** Said of an execution that is not what a person was asked about. */
export const CHANGED: Denial = {
  reason: "PolicyDenied",
  detail: "a file that decides what it does has changed since a person was asked",
};

/** Said where deciding breaks off. */
export function broken(cause: unknown): Denial {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return { reason: "FailClosed", detail: `the decision failed: ${detail}` };
}

/** A denial that a person could lift, unless the execution is not known well enough to ask. */
export function unaskableOf(
  { denial }: ExecVerdict,
  execution: Execution,
  files: FileStates | undefined,
): Denial | undefined {
  return denial?.reason === "StepUpRequired" ? unaskable(execution, files) ?? denial : denial;
}
