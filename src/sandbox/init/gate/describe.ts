import type { Execution, Interpreter } from "../../../core/local_exec.ts";
import { type FileIdentity, identityKey, readLink } from "./file.ts";
import { ERRNO } from "./libc.ts";
import type { Attempt } from "./listener.ts";
import { readList } from "./memory.ts";
import { namesOf, type Program, type Programs } from "./program.ts";

/** What an attempt is about. */
export interface Found {
  readonly execution: Execution;
  /** The program that must run then: of a script, what its first line names. */
  readonly runs: FileIdentity;
  /** The command line that it must have then, or how that ends; of a governed program. */
  readonly argv: { readonly text: string; readonly isWhole: boolean } | undefined;
  /** Stands for the file and its names; nothing stands for a governed program. */
  readonly key: string | undefined;
}

const EFAULT = 14;
/** The kernel's own limit for arguments and environment is 2 MiB with usual settings. */
const WHOLE = { strings: 131_072, bytes: 2 * 1024 * 1024 };
const BEGINNING = { strings: 64, bytes: 4096 };
const ENVIRONMENT = { strings: 16_384, bytes: 2 * 1024 * 1024 };
const TELLING = /^(?:GIT_|LD_)/;
/** The kernel follows no more. */
const MOST_INTERPRETERS = 4;

/** Finds out what an attempt is about, or the error number that it is to fail with. */
export function describe(
  { attempt, path, programs, governed }: {
    readonly attempt: Attempt;
    readonly path: string;
    readonly programs: Programs;
    readonly governed: ReadonlySet<string>;
  },
): Found | number {
  const { pid } = attempt;
  const program = programs.find(attempt, path);
  if (typeof program === "number") return program;
  const script = interpreterOf(programs, pid, program);
  if (typeof script === "number") return script;
  const start = readList(pid, attempt.argv, BEGINNING);
  if ("fault" in start) return EFAULT;
  const own = (start.texts[0] ?? "").replace(/^-/, "");
  const names = [...new Set([...namesOf(path, program.file, own), ...program.copyOf])];
  const { interpreter, runs } = script;
  const isGoverned = [...names, ...interpreter?.names ?? []].some((name) => governed.has(name));
  const all = isGoverned && !start.isWhole ? readList(pid, attempt.argv, WHOLE) : start;
  if ("fault" in all) return EFAULT;
  if (isGoverned && !all.isWhole) return ERRNO.E2BIG;
  const environment = isGoverned ? tellingVariables(attempt) : undefined;
  if (typeof environment === "number") return environment;
  const cwd = readLink(`/proc/${pid}/cwd`);
  if (cwd === undefined) return ERRNO.EACCES;
  const execution: Execution = {
    pid,
    path,
    file: program.file,
    names,
    argv: all.texts,
    argc: all.isWhole ? all.texts.length : -1,
    cwd,
    ...(interpreter && { interpreter }),
    ...(environment && { environment }),
  };
  return {
    execution,
    runs,
    argv: isGoverned ? expectedArguments(all.texts, interpreter !== undefined) : undefined,
    key: isGoverned
      ? undefined
      : [identityKey(program.identity), identityKey(runs), ...names].join("\0"),
  };
}

function interpreterOf(
  programs: Programs,
  pid: number,
  program: Program,
): { readonly interpreter?: Interpreter; readonly runs: FileIdentity } | number {
  const names: string[] = [];
  let argument: string | undefined;
  let at = program;
  for (let depth = 0; at.content.kind === "script"; depth++) {
    if (depth > MOST_INTERPRETERS) return ERRNO.ELOOP;
    const { interpreter } = at.content;
    argument ??= at.content.argument;
    const path = programs.absolute(pid, interpreter);
    const next = path === undefined ? ERRNO.ENOENT : programs.within(pid, path);
    if (typeof next === "number") return next;
    names.push(...namesOf(interpreter, next.file), ...next.copyOf);
    at = next;
  }
  if (at.content.kind === "other") return ERRNO.ENOEXEC;
  if (at === program) return { runs: program.identity };
  const interpreter = {
    file: at.file,
    names: [...new Set(names)],
    ...(argument !== undefined && { argument }),
  };
  return { interpreter, runs: at.identity };
}

/** What comes after the program's own name must be the same; of a script, nothing before is. */
function expectedArguments(
  argv: readonly string[],
  isScript: boolean,
): { readonly text: string; readonly isWhole: boolean } {
  const said = argv.length === 0 ? [""] : argv;
  const kept = isScript ? said.slice(1) : said;
  return { text: kept.map((text) => `${text}\0`).join(""), isWhole: !isScript };
}

function tellingVariables({ pid, envp }: Attempt): Record<string, string> | number {
  const all = readList(pid, envp, ENVIRONMENT);
  if ("fault" in all) return EFAULT;
  if (!all.isWhole) return ERRNO.E2BIG;
  const variables: Record<string, string> = {};
  for (const text of all.texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    if (at > 0 && TELLING.test(name)) variables[name] = text.slice(at + 1);
  }
  return variables;
}
