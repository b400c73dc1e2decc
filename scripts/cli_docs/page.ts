import type { EventEmitter } from "node:events";
import type { Argument, Command, Option } from "commander";

/** An argument or option, as people read of it. */
export interface Parameter {
  /** `--posture <name>`, `[file]` */
  readonly term: string;
  readonly text: string;
  /** What it may be, where that is a fixed list. */
  readonly choices: readonly string[];
  /** What holds where it is left out. */
  readonly fallback?: string;
  readonly required: boolean;
}

/** Everything that is known of one command: what help, manual and reference are made from. */
export interface Page {
  /** `["firma", "policy", "test"]` */
  readonly words: readonly string[];
  readonly usage: string;
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly options: readonly Parameter[];
  /** What stands behind the options, examples apart; paragraphs. */
  readonly notes: readonly string[];
  /** Lines as they are to be typed; those that begin with a space go with the one before. */
  readonly examples: readonly string[];
  readonly subcommands: readonly Page[];
}

/** Reads a command, and the commands below it, the hidden ones apart. */
export function pageOf(command: Command, above: readonly string[] = []): Page {
  const words = [...above, command.name()];
  const help = command.createHelp();
  const { notes, examples } = afterHelp(command);
  const subcommands = command.commands.filter((each) => isShown(each, command));
  return {
    words,
    usage: help.commandUsage(command),
    summary: help.subcommandDescription(command),
    description: paragraphs(command.description()),
    parameters: command.registeredArguments.map(argument),
    options: help.visibleOptions(command).filter((each) => each.long !== "--help").map(option),
    notes,
    examples,
    subcommands: subcommands.map((each) => pageOf(each, words)),
  };
}

/** The page, and all pages below it, in the order of help. */
export function allPages(page: Page): Page[] {
  return [page, ...page.subcommands.flatMap(allPages)];
}

function isShown(command: Command, parent: Command): boolean {
  return parent.createHelp().visibleCommands(parent).includes(command) &&
    command.name() !== "help";
}

function argument(given: Argument): Parameter {
  const name = `${given.name()}${given.variadic ? "..." : ""}`;
  return {
    term: given.required ? `<${name}>` : `[${name}]`,
    text: given.description,
    choices: given.argChoices ?? [],
    ...fallbackOf(given),
    required: given.required,
  };
}

function option(given: Option): Parameter {
  return {
    term: given.flags,
    text: given.description,
    choices: given.argChoices ?? [],
    ...fallbackOf(given),
    required: given.mandatory,
  };
}

/** An option `--no-…` has `true` for a default, which says nothing to anybody. */
function fallbackOf(
  { defaultValue, defaultValueDescription: text }: {
    readonly defaultValue?: unknown;
    readonly defaultValueDescription?: string | undefined;
  },
): { fallback?: string } {
  if (text !== undefined) return { fallback: text };
  if (defaultValue === undefined || typeof defaultValue === "boolean") return {};
  return { fallback: JSON.stringify(defaultValue) };
}

/** What `addHelpText("after", …)` was given. */
function afterHelp(command: Command): { notes: string[]; examples: string[] } {
  let text = "";
  // Commander's commands are emitters, and its types do not say so.
  (command as unknown as EventEmitter).emit("afterHelp", {
    error: false,
    command,
    write: (part: string) => {
      text += part;
    },
  });
  const [before = "", ...behind] = text.split(/^Examples?:\n/m);
  const lines = behind.join("").split("\n").filter((line) => line.trim() !== "");
  return {
    notes: paragraphs(before),
    examples: lines.map((line) => line.replace(/^ {2}/, "")),
  };
}

function paragraphs(text: string): string[] {
  return text.split(/\n\s*\n/).map((part) => part.trim().replaceAll(/\s*\n\s*/g, " "))
    .filter((part) => part !== "");
}
