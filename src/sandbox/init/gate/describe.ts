import { type Execution, type Interpreter, questionOf } from "../../../core/local_exec.ts";
import { isTelling } from "../../../core/telling_variables.ts";
import { type FileIdentity, identityKey, readLink } from "./file.ts";
import { ERRNO } from "./libc.ts";
import type { Attempt } from "./listener.ts";
import { type ListStart, readFirst, readList } from "./memory.ts";
import { namesOf, type Program, type Programs } from "./program.ts";

/** The program that an attempt would start. */
export interface Identified {
  /** As the caller named it. */
  readonly path: string;
  readonly program: Program;
  readonly names: readonly string[];
  /** The first argument as it was when the names were found. */
  readonly own: string;
  readonly interpreter: Interpreter | undefined;
  /** What the kernel puts in front of the path of a script. */
  readonly front: readonly string[];
  /** The program that must run then: of a script, what its first line names. */
  readonly runs: FileIdentity;
  readonly isGoverned: boolean;
  /** Stands for the file and its names; nothing stands for what is governed or has just changed. */
  readonly key: string | undefined;
}

/** What an attempt is about. */
export interface Found {
  readonly execution: Execution;
  readonly identified: Identified;
  /** The arguments that it must have then; `undefined` stands for any. */
  readonly argv: readonly (string | undefined)[];
  /** There are no more of them. */
  readonly isWhole: boolean;
}

const EFAULT = 14;
/** How much is read of a first argument. */
export const LONGEST_NAME = 4096;
/** The kernel's own limit for arguments and environment is 2 MiB with usual settings. */
export const WHOLE = { strings: 131_072, bytes: 2 * 1024 * 1024 };
/** What is recorded, and told of programs that are not governed. */
export const BEGINNING = { strings: 64, bytes: 4096 };
const ENVIRONMENT = { strings: 16_384, bytes: 2 * 1024 * 1024 };
/** The kernel follows no more. */
const MOST_INTERPRETERS = 4;

/**
 * Finds out which program an attempt names, or the error number that it is to fail with. Its first
 * argument is not read where there is no such program: shells try each directory of `PATH`.
 */
export function identify(
  attempt: Attempt,
  path: string,
  programs: Programs,
  governed: ReadonlySet<string>,
  readFirstArgument = () => readFirst(attempt.pid, attempt.argv, LONGEST_NAME),
): Identified | number {
  const { pid } = attempt;
  const program = programs.find(attempt, path);
  if (typeof program === "number") return program;
  const first = readFirstArgument();
  if (typeof first !== "string" && first.fault === "unreadable") return EFAULT;
  const own = typeof first === "string" ? first : "";
  const known = identified.get(program);
  if (known !== undefined && known.path === path && known.own === own) return known;
  const script = interpreterOf(programs, pid, program);
  if (typeof script === "number") return script;
  const called = own.startsWith("-") ? own.slice(1) : own;
  const names = [...new Set([...namesOf(path, program.file, called), ...program.copyOf])];
  const { interpreter, front, runs } = script;
  const isGoverned = [...names, ...interpreter?.names ?? []].some((name) => governed.has(name));
  const isSettled = program.identity.isSettled && runs.isSettled;
  const key = isGoverned || !isSettled
    ? undefined
    : [identityKey(program.identity), identityKey(runs), ...names].join("\0");
  const found = { path, program, names, own, interpreter, front, runs, isGoverned, key };
  // What a script is run by is looked up each time: nothing of the script says when it changes.
  if (interpreter === undefined) identified.set(program, found);
  return found;
}

/** As it was called last. The list of what is governed does not change while a program is known. */
const identified = new WeakMap<Program, Identified>();

/** Finds out what an attempt is about, or the error number that it is to fail with. */
export function describe(
  attempt: Attempt,
  identified: Identified,
  programs: Programs,
): Found | number {
  const { pid } = attempt;
  const { path, own, interpreter, front, isGoverned } = identified;
  const all = readList(pid, attempt.argv, isGoverned ? WHOLE : BEGINNING);
  if ("fault" in all) return EFAULT;
  const { texts, isWhole } = all;
  if (isGoverned && !isWhole) return ERRNO.E2BIG;
  // Another thread has rewritten it, and the names are no longer those of this.
  if ((texts[0] ?? "") !== own) return ERRNO.EPERM;
  // Of programs that no rule names too: a policy may leave them to a person, who is asked about
  // none of which not all arguments are known.
  const environment = isWhole ? tellingVariables(pid, attempt.envp) : undefined;
  if (typeof environment === "number") return environment;
  const cwd = readLink(`/proc/${pid}/cwd`);
  if (cwd === undefined) return ERRNO.EACCES;
  const known = executionOf(pid, identified, all, cwd);
  const sha256 = isGoverned ? programs.digestOf(attempt, path, identified.program) : undefined;
  const execution = {
    ...known,
    ...(sha256 !== undefined && { sha256 }),
    ...(environment && { environment }),
  };
  // Told to execute a descriptor, the kernel makes up a path.
  const shownPath = attempt.directory === undefined ? path : undefined;
  const argv = interpreter === undefined
    // The kernel adds an empty one where there is none.
    ? texts.length === 0 ? [""] : texts
    : [...front, shownPath, ...texts.slice(1)];
  return { execution, identified, argv, isWhole };
}

/** Longer ones are asked each time: what stands is kept. */
const LONGEST_QUESTION = 4096;

/**
 * What an answer to exactly this question stands for: the question, and the files as they are.
 * `undefined` where none can: the files have just changed, or there is too much of it.
 */
export function questionKey({ execution, identified, isWhole }: Found): string | undefined {
  const { program, runs } = identified;
  if (!isWhole || !program.identity.isSettled || !runs.isSettled) return undefined;
  const question = questionOf(execution);
  if (question.length > LONGEST_QUESTION) return undefined;
  return [identityKey(program.identity), identityKey(runs), question].join("\0");
}

/** An execution of a program, with what is known of its arguments. */
export function executionOf(
  pid: number,
  { path, program, names, interpreter }: Identified,
  { texts, isWhole }: ListStart = { texts: [], isWhole: false },
  cwd = "",
): Execution {
  return {
    pid,
    path,
    file: program.file,
    names,
    argv: texts,
    argc: isWhole ? texts.length : -1,
    cwd,
    ...(interpreter && { interpreter }),
  };
}

function interpreterOf(
  programs: Programs,
  pid: number,
  program: Program,
): Pick<Identified, "interpreter" | "front" | "runs"> | number {
  const names: string[] = [];
  let front: string[] = [];
  let argument: string | undefined;
  let at = program;
  for (let depth = 0; at.content.kind === "script"; depth++) {
    if (depth > MOST_INTERPRETERS) return ERRNO.ELOOP;
    const { interpreter, argument: given } = at.content;
    argument ??= given;
    front = [interpreter, ...(given === undefined ? [] : [given]), ...front];
    const path = programs.absolute(pid, interpreter);
    const next = path === undefined ? ERRNO.ENOENT : programs.within(pid, path);
    if (typeof next === "number") return next;
    names.push(...namesOf(interpreter, next.file), ...next.copyOf);
    at = next;
  }
  if (at.content.kind === "other") return ERRNO.ENOEXEC;
  if (at === program) return { interpreter: undefined, front, runs: program.identity };
  const interpreter = {
    file: at.file,
    names: [...new Set(names)],
    ...(argument !== undefined && { argument }),
  };
  return { interpreter, front, runs: at.identity };
}

/** Variables that change what a program does, or the error number for an environment without end. */
export function tellingVariables(pid: number, envp: bigint): Record<string, string> | number {
  const all = readList(pid, envp, ENVIRONMENT);
  if ("fault" in all) return EFAULT;
  if (!all.isWhole) return ERRNO.E2BIG;
  const variables: Record<string, string> = {};
  for (const text of all.texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    if (at <= 0 || !isTelling(name)) continue;
    const value = text.slice(at + 1);
    // Some programs take the first of two, and some the last: neither may stand for both.
    const before = variables[name];
    variables[name] = before === undefined ? value : `${before}\n${value}`;
  }
  return variables;
}
