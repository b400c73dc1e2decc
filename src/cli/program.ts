import { Command, CommanderError } from "commander";
import { VERSION } from "../config/version.ts";
import { escapeLinesForTerminal } from "../core/escape.ts";
import { DESCRIPTION, EXAMPLES, HELP_WIDTH, NOT_BUILT, OPTIONS } from "./about.ts";
import type { CommandEntry } from "./main.ts";
import { print, printError, printToStderr } from "./output.ts";
import { bold, hasColours, red } from "./style.ts";

const USAGE_ERROR = 2;

/** Options of the program itself that take a value. */
const VALUE_OPTIONS = new Set(["-c", "--config"]);

/** The first word that is not an option of the program itself. */
export function commandName(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    if (VALUE_OPTIONS.has(args[i]!)) i++;
    else if (args[i] === "help") return args[i + 1];
    else if (!args[i]!.startsWith("-")) return args[i];
  }
}

function configure(command: Command): Command {
  const colours = hasColours(Deno.stderr);
  return command
    .exitOverride()
    .configureOutput({
      writeOut: print,
      writeErr: printToStderr,
      outputError: (text, write) => {
        const line = escapeLinesForTerminal(text.trimEnd()).replace(/^error: /, "firma: ");
        const isHelped = /\(Did you mean|^ {2}cure: /m.test(line);
        const cure = isHelped ? "" : `  cure: ${pathOf(command)} --help\n`;
        write(`${red(line, colours)}\n${cure}`);
      },
      getOutHasColors: () => hasColours(Deno.stdout),
      getErrHasColors: () => colours,
    })
    .configureHelp({
      helpWidth: Math.min(HELP_WIDTH, columns()),
      styleTitle: (title) => bold(title, true), // removed again where there are no colours
    });
}

/** A command as it is written on a command line. */
function pathOf(command: Command): string {
  const name = command.name();
  return command.parent === null ? name : `${pathOf(command.parent)} ${name}`;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return HELP_WIDTH; // not a terminal
  }
}

function placeholder({ name, summary, load }: CommandEntry): Command {
  const command = new Command(name).description(summary).helpCommand(false);
  if (load) return command;
  return command
    .helpGroup(NOT_BUILT)
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(() => {
      printError({
        code: "NOT_BUILT",
        message: `Cannot run "firma ${name}": it is not built yet`,
        cure: "firma --help lists what is there",
      });
      Deno.exitCode = USAGE_ERROR;
    });
}

function configureAll(command: Command): void {
  configure(command);
  // What stands before a subcommand belongs to the command that it is one of.
  if (command.commands.length > 0) command.enablePositionalOptions();
  command.commands.forEach(configureAll);
}

/** Every command, those that are `wanted` whole and the others by name alone. */
async function commands(
  entries: readonly CommandEntry[],
  wanted: (name: string) => boolean,
): Promise<Command[]> {
  return await Promise.all(entries.map(async (entry) => {
    if (!wanted(entry.name) || !entry.load) return configure(placeholder(entry));
    const command = (await entry.load()).command().summary(entry.summary);
    configureAll(command);
    return command;
  }));
}

/**
 * The program with all its commands. Only those that are `wanted` have their options, arguments
 * and subcommands: loading the others takes time.
 */
export async function buildProgram(
  entries: readonly CommandEntry[],
  wanted: (name: string) => boolean = () => true,
): Promise<Command> {
  const program = configure(new Command("firma"))
    .description(DESCRIPTION)
    .version(VERSION, ...OPTIONS.version)
    .option(...OPTIONS.config)
    .helpOption(...OPTIONS.help)
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES);
  for (const command of await commands(entries, wanted)) program.addCommand(command);
  return program;
}

/**
 * The words to parse: of `help` before an option, or before a command that there is not, the parser
 * would show the program's help as an error.
 */
function helpWords(args: string[], entries: readonly CommandEntry[]): string[] {
  const [first, second] = args;
  if (first !== "help" || second === undefined) return args;
  if (second.startsWith("-")) return args.slice(1);
  return entries.some(({ name }) => name === second) ? args : [second];
}

/** Finds the command that `args` name, runs it, and returns the exit status. */
export async function runProgram(
  args: string[],
  entries: readonly CommandEntry[],
): Promise<number> {
  const named = commandName(args);
  const program = await buildProgram(entries, (name) => name === named);
  try {
    await program.parseAsync(helpWords(args, entries), { from: "user" });
    return Deno.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for end this way too.
    return error.exitCode === 0 ? 0 : USAGE_ERROR;
  }
}
