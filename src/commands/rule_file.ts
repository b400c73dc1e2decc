import { type ActionClass, parseActionClass } from "../core/action_class.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { parsePattern } from "./pattern.ts";
import type { CommandRule, Deletes } from "./rule.ts";

/** A file of rules for commands as it stands there, read from TOML or JSON. */
export interface CommandFile {
  /** Its name, for people. */
  readonly file: string;
  readonly programs: readonly WrittenProgram[];
  readonly commands: readonly WrittenCommand[];
}

/** `[[programs]]`: what is to be known of a program to tell its arguments apart. */
export interface WrittenProgram {
  readonly names: readonly string[];
  readonly value_options: readonly string[];
}

/** `[[commands]]` */
export interface WrittenCommand {
  readonly executable: string | readonly string[];
  readonly argv?: string;
  readonly action_class: string;
  /** The only options that may be there; with another one, or one twice, the rule does not speak. */
  readonly only?: readonly string[];
  readonly deletes?: string;
  readonly recursive?: boolean;
  readonly otherwise?: string;
}

const PROGRAM_KEYS = new Set(["names", "value_options"]);
const COMMAND_KEYS = new Set([
  "executable",
  "argv",
  "action_class",
  "only",
  "deletes",
  "recursive",
  "otherwise",
]);

type Faults = FirmaError[];

/** Checks what a file of rules holds, in the form that TOML gives it. */
export function readCommandFile(file: string, root: unknown): Result<CommandFile, Faults> {
  const faults: Faults = [];
  const refuse = (state: string) =>
    void faults.push({
      code: "COMMAND_RULE",
      message: `Cannot use the rules for commands "${file}": ${state}`,
      cure: "see docs/guides/commands.md",
      at: { file },
    });
  const members = isTable(root) ? root : {};
  for (const name of Object.keys(members)) {
    if (name !== "programs" && name !== "commands") refuse(`"${name}" is no table of theirs`);
  }
  const tables = (name: string, known: ReadonlySet<string>) => {
    const list = members[name] ?? [];
    if (!Array.isArray(list) || !list.every(isTable)) {
      refuse(`"${name}" is not written [[${name}]]`);
      return [];
    }
    for (const table of list) {
      for (const key of Object.keys(table)) {
        if (!known.has(key)) refuse(`[[${name}]] has no "${key}"`);
      }
    }
    return list as Readonly<Record<string, unknown>>[];
  };
  const programs = tables("programs", PROGRAM_KEYS);
  const commands = tables("commands", COMMAND_KEYS);
  for (const { names, value_options } of programs) {
    if (!isTexts(names) || names.length === 0) refuse('"names" is not a list of names');
    if (!isTexts(value_options)) refuse('"value_options" is not a list of options');
  }
  for (const command of commands) {
    const { executable, argv = "", action_class, only, deletes, recursive, otherwise } = command;
    const names = typeof executable === "string" ? [executable] : executable;
    if (!isTexts(names) || names.length === 0 || names.some((name) => !/^[^/\s]+$/.test(name))) {
      refuse('"executable" is not the name of a program');
    }
    if (typeof argv !== "string") refuse('"argv" is not a text');
    else {
      const pattern = parsePattern(argv);
      if (!pattern.ok) refuse(pattern.error.message);
    }
    for (const name of [action_class, ...(otherwise === undefined ? [] : [otherwise])]) {
      if (typeof name !== "string" || parseActionClass(name) === undefined) {
        refuse(`"${name}" is not an action class`);
      }
    }
    if (only !== undefined && !isTexts(only)) refuse('"only" is not a list of options');
    if (deletes !== undefined && !/^(?:operands|last|[a-z]+=)$/.test(String(deletes))) {
      refuse('"deletes" is not "operands", "last" or "<name>="');
    }
    if (recursive !== undefined && typeof recursive !== "boolean") {
      refuse('"recursive" is not true or false');
    }
  }
  if (faults.length > 0) return err(faults);
  return ok({
    file,
    programs: programs as unknown as readonly WrittenProgram[],
    commands: commands as unknown as readonly WrittenCommand[],
  });
}

/** The rule that is written so, by one of its executables. */
export function toRule(file: string, executable: string, written: WrittenCommand): CommandRule {
  const { argv = "", action_class, only, deletes, recursive = false, otherwise } = written;
  const pattern = parsePattern(argv);
  if (!pattern.ok) throw new Error(pattern.error.message);
  return {
    ref: `${file}: ${`${executable} ${argv}`.trim()}`,
    pattern: pattern.value,
    actionClass: action_class as ActionClass,
    only: only && new Set(only),
    deletes: deletes === undefined ? undefined : {
      what: readWhat(deletes),
      recursive,
      otherwise: otherwise as ActionClass | undefined,
    },
  };
}

function readWhat(text: string): Deletes["what"] {
  if (text === "operands" || text === "last") return text;
  return { prefix: text.slice(0, -1) };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}
