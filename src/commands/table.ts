import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { hasOnly, readArguments } from "./arguments.ts";
import { compareSpecificity, matchPattern, mayOverlap } from "./pattern.ts";
import { type CommandRule, deletedPaths } from "./rule.ts";
import { type CommandFile, toRule } from "./rule_file.ts";

/** A program with its arguments, under one of the names that it goes by. */
export interface CommandView {
  readonly name: string;
  /** Without the program's own name. */
  readonly args: readonly string[];
}

/** What a command was found to do. */
export interface MatchedCommand {
  readonly rule: CommandRule;
  /** What goes away, where the rule says so. */
  readonly paths: readonly string[];
}

interface Program {
  readonly rules: readonly CommandRule[];
  readonly valueOptions: ReadonlySet<string>;
}

/** The rules for commands, by the name of the program. A later file adds to those before. */
export class CommandTable {
  readonly #files: readonly CommandFile[];
  readonly #names: ReadonlySet<string>;
  /** Put together when a program of that name comes for the first time. */
  readonly #programs = new Map<string, Program>();

  private constructor(files: readonly CommandFile[]) {
    this.#files = files;
    this.#names = new Set(
      files.flatMap(({ commands }) => commands.flatMap(({ executable }) => executable)),
    );
  }

  /** Files that are known to be valid. */
  static of(files: readonly CommandFile[]): CommandTable {
    return new CommandTable(files);
  }

  /** Refuses rules of which two would have an equal say in the same command. */
  static check(files: readonly CommandFile[]): Result<CommandTable, FirmaError[]> {
    const table = new CommandTable(files);
    const faults = [...table.#names].flatMap((name) => ties(name, table.#program(name).rules));
    return faults.length > 0 ? err(faults) : ok(table);
  }

  /** The names of programs that some rule is about. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** The names of programs of which some rule says which files they make go away. */
  get deleting(): readonly string[] {
    const commands = this.#files.flatMap((file) => file.commands);
    return commands.filter(({ deletes }) => deletes !== undefined)
      .flatMap(({ executable }) => executable);
  }

  /**
   * The most specific rule for a command; none where none names the program so. Where an operand may
   * be the value of an option, it may be one of several commands, and there is one for each.
   */
  matches({ name, args }: CommandView): readonly MatchedCommand[] {
    if (!this.#names.has(name)) return [];
    const { rules, valueOptions } = this.#program(name);
    const read = readArguments(args, valueOptions);
    const matches: MatchedCommand[] = [];
    for (const rule of rules) {
      const match = matchPattern(rule.pattern, read);
      if (match === undefined) continue;
      if (rule.only !== undefined && !hasOnly(args, rule.only)) continue;
      const paths = rule.deletes === undefined ? [] : deletedPaths(rule.deletes, match.rest);
      matches.push({ rule, paths });
    }
    return matches.filter(({ rule }) => !matches.some((other) => outdoes(other.rule, rule)));
  }

  #program(name: string): Program {
    let program = this.#programs.get(name);
    if (program === undefined) {
      const rules: CommandRule[] = [];
      const valueOptions = new Set<string>();
      for (const { file, programs, commands } of this.#files) {
        for (const { names, value_options } of programs) {
          if (names.includes(name)) value_options.forEach((option) => valueOptions.add(option));
        }
        for (const command of commands) {
          if ([command.executable].flat().includes(name)) rules.push(toRule(file, name, command));
        }
      }
      program = { rules, valueOptions };
      this.#programs.set(name, program);
    }
    return program;
  }
}

/** Whether a rule says more than another of the same words. Of other words, neither does. */
function outdoes({ pattern: more }: CommandRule, { pattern: less }: CommandRule): boolean {
  return compareSpecificity(more, less) > 0 && mayOverlap(more, less);
}

function ties(name: string, rules: readonly CommandRule[]): FirmaError[] {
  const faults: FirmaError[] = [];
  rules.forEach((one, index) => {
    for (const other of rules.slice(index + 1)) {
      const isSame = one.actionClass === other.actionClass &&
        JSON.stringify(one.deletes) === JSON.stringify(other.deletes);
      const hasEqualSay = compareSpecificity(one.pattern, other.pattern) === 0;
      if (isSame || !hasEqualSay || !mayOverlap(one.pattern, other.pattern)) continue;
      faults.push({
        code: "COMMAND_RULE",
        message: `Cannot use two rules for "${name}": "${one.ref}" and "${other.ref}" may match ` +
          "the same command, and neither says more",
        cure: "give both the same action class, or add a rule for what matches both",
      });
    }
  });
  return faults;
}
