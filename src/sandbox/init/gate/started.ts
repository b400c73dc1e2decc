import type { Execution } from "../../../core/local_exec.ts";
import {
  BEGINNING,
  executionOf,
  type Found,
  type Identified,
  tellingVariables,
  WHOLE,
} from "./describe.ts";
import { ContentHashes } from "./content_hashes.ts";
import { startingArguments } from "./exec_stop.ts";
import { type FileIdentity, leadsTo, leadsToState, readLink } from "./file.ts";
import { readList, readStartingArguments } from "./memory.ts";

/**
 * Programs between their execution and their first instruction: memory and paths of whoever asked
 * may have changed since they were read, and what is here is what really runs.
 */

const POINTER = 8;

/** How what has executed differs from what was decided. */
export function differenceOf(
  pid: number,
  { execution, identified: { runs }, argv, isWhole }: Found,
): string | undefined {
  if (!isRunning(pid, runs)) return "another program";
  const { sha256, interpreter } = execution;
  if (sha256 !== undefined && interpreter === undefined && !isStill(pid, runs, sha256)) {
    return "another content of the program";
  }
  const at = startingArguments(pid);
  if (at === undefined) return "other arguments";
  const limits = isWhole
    ? { ...WHOLE, strings: argv.length + 1 }
    : { ...WHOLE, strings: argv.length };
  const actual = readList(pid, at, limits);
  if ("fault" in actual || actual.texts.length !== argv.length || (isWhole && !actual.isWhole)) {
    return "other arguments";
  }
  const isSame = argv.every((text, index) => text === undefined || text === actual.texts[index]);
  if (!isSame) return "other arguments";
  if (execution.environment !== undefined) {
    const envp = at + BigInt(POINTER * (actual.texts.length + 1));
    if (!isSameEnvironment(execution.environment, tellingVariables(pid, envp))) {
      return "another environment";
    }
  }
  return readLink(`/proc/${pid}/cwd`) === execution.cwd ? undefined : "another directory";
}

function isSameEnvironment(
  decided: Readonly<Record<string, string>>,
  actual: Readonly<Record<string, string>> | number,
): boolean {
  if (typeof actual === "number") return false;
  const names = Object.keys(actual);
  return names.length === Object.keys(decided).length &&
    names.every((name) => actual[name] === decided[name]);
}

/**
 * What runs by a standing answer, with the arguments that it really has; or how it differs from what
 * that answer is about: the file, and of all arguments the first, which may be a name of it.
 */
export function describeStarted(pid: number, identified: Identified): Execution | string {
  const { interpreter, own, runs } = identified;
  if (!isRunning(pid, runs)) return "another program";
  const at = startingArguments(pid);
  const started = at === undefined ? undefined : readStartingArguments(pid, at, BEGINNING);
  if (started === undefined || "fault" in started) return "other arguments";
  if (interpreter === undefined && (started.texts[0] ?? "") !== own) return "other arguments";
  return executionOf(pid, identified, started, readLink(`/proc/${pid}/cwd`));
}

function isRunning(pid: number, runs: FileIdentity): boolean {
  return leadsTo(exeOf(pid), runs);
}

/**
 * Whether a program that runs holds what it was decided by: whoever may write to it could exchange
 * that meanwhile, and now nobody writes to it any more.
 */
function isStill(pid: number, runs: FileIdentity, sha256: string): boolean {
  const exe = exeOf(pid);
  if (!leadsToState(exe, runs)) return false;
  // What had just changed may have done so once more without having another time.
  return runs.isSettled || new ContentHashes().of(exe, runs) === sha256;
}

function exeOf(pid: number): string {
  return `/proc/${pid}/exe`;
}
