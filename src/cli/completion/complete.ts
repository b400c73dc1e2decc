import type { Command, Option } from "commander";
import { escapeForTerminal } from "../../core/escape.ts";
import { valuesOf } from "./values.ts";

/** A word that may come next. */
export interface Candidate {
  readonly value: string;
  /** What it is, on one line. */
  readonly text: string;
}

/** What may come next. The shell itself knows files, directories and commands. */
export interface Completion {
  readonly kind: "words" | "files" | "directories" | "commands";
  readonly candidates: readonly Candidate[];
}

const NOTHING: Completion = { kind: "words", candidates: [] };

/** What a word of a completion may consist of: nothing that any shell takes for more than text. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Where the words so far lead to. */
interface Place {
  readonly command: Command;
  /** How many arguments there are. */
  readonly count: number;
  /** Behind `--`. */
  readonly isBehind: boolean;
  /** The option whose value comes next. */
  readonly option: Option | undefined;
}

/**
 * What may stand in the place of the last of `words`, which follow the name of the program. The
 * last word may be empty or begun. Other people's text is left out unless it is plain.
 */
export async function complete(program: Command, words: readonly string[]): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const place = find(program, words.slice(0, -1));
  const found = await candidatesAt(place, current);
  return {
    kind: found.kind,
    candidates: found.candidates
      .filter(({ value }) => value.startsWith(current) && PLAIN.test(value))
      .map(({ value, text }) => ({ value, text: escapeForTerminal(text.split("\n", 1)[0]!) })),
  };
}

function find(program: Command, words: readonly string[]): Place {
  let command = program;
  let count = 0;
  let isBehind = false;
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) {
      option = undefined;
    } else if (!isBehind && word === "--") {
      isBehind = true;
    } else if (!isBehind && word.startsWith("-") && word !== "-") {
      option = word.includes("=") ? undefined : awaiting(command, word);
    } else {
      const next = isBehind || count > 0 ? undefined : subcommand(command, word);
      if (next === undefined) count++;
      else command = next;
      // Whatever stands behind a command to run is its own.
      if (count > 0 && startsCommand(command)) isBehind = true;
    }
  }
  return { command, count, isBehind, option };
}

/** The option of this name, when its value is the next word. */
function awaiting(command: Command, name: string): Option | undefined {
  const option = command.options.find(({ short, long }) => short === name || long === name);
  return option?.required ? option : undefined;
}

function subcommand(command: Command, name: string): Command | undefined {
  // `firma help run` goes where `firma run` does.
  if (name === "help" && command.parent === null) return command;
  return command.commands.find((each) => each.name() === name || each.aliases().includes(name));
}

function startsCommand(command: Command): boolean {
  return command.registeredArguments[0]?.name() === "command";
}

async function candidatesAt(place: Place, current: string): Promise<Completion> {
  const { command, count, isBehind, option } = place;
  if (option !== undefined) return await valuesOf(option);
  const inline = isBehind ? null : /^(--[\w-]+)=/.exec(current);
  if (inline !== null) return await inlineValues(command, inline[1]!);
  if (!isBehind && current.startsWith("-")) return options(command);
  const { registeredArguments: known } = command;
  const argument = known[count] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined);
  const values = argument === undefined ? NOTHING : await valuesOf(argument, command);
  if (isBehind || count > 0) return values;
  return { kind: values.kind, candidates: [...subcommands(command), ...values.candidates] };
}

async function inlineValues(command: Command, name: string): Promise<Completion> {
  const option = awaiting(command, name);
  if (option === undefined) return NOTHING;
  const { kind, candidates } = await valuesOf(option);
  if (kind !== "words") return NOTHING; // shells differ too much in what they make of `--file=`
  return {
    kind,
    candidates: candidates.map(({ value, text }) => ({ value: `${name}=${value}`, text })),
  };
}

function options(command: Command): Completion {
  const candidates = command.createHelp().visibleOptions(command)
    .flatMap(({ long, description }) => long ? [{ value: long, text: description }] : []);
  return { kind: "words", candidates };
}

function subcommands(command: Command): Candidate[] {
  const help = command.createHelp();
  return help.visibleCommands(command)
    .map((each) => ({ value: each.name(), text: help.subcommandDescription(each) }));
}
