import { Command } from "commander";
import { escapeLinesForTerminal } from "../core/escape.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import type { RunInterface, RunOptions } from "../run/options.ts";
import { confirm } from "./confirm.ts";
import { print, printError, printNotice } from "./output.ts";
import { withGlobals } from "./with_globals.ts";

interface Flags {
  readonly config?: string;
  readonly profile?: string;
  readonly posture?: string;
  readonly mapping?: string[];
  readonly yes?: boolean;
  readonly trust?: boolean;
  readonly printEffectiveConfig?: boolean;
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...previous ?? [], value];
}

const terminal: RunInterface = {
  get interactive() {
    return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
  },
  tell: printNotice,
  confirm,
};

const LAUNCHER_ERROR = 1;

/** What a shell answers to a command that it cannot start (POSIX, 2.8.2). */
const COMMAND_ERRORS: Readonly<Record<string, number>> = {
  COMMAND_NOT_EXECUTABLE: 126,
  COMMAND_NOT_FOUND: 127,
};

async function printEffectiveConfig(
  options: RunOptions,
): Promise<Result<number, readonly FirmaError[]>> {
  const { effectiveConfig } = await import("../run/effective.ts");
  const config = await effectiveConfig(options);
  if (!config.ok) return config;
  print(`${escapeLinesForTerminal(JSON.stringify(config.value, null, 2))}\n`);
  return ok(0);
}

async function act(program: string, words: string[], flags: Flags): Promise<void> {
  const options: RunOptions = {
    command: [program, ...words],
    cwd: Deno.cwd(),
    env: Deno.env.toObject(),
    configFlag: flags.config,
    profile: flags.profile,
    posture: flags.posture,
    mappings: flags.mapping ?? [],
    yes: flags.yes ?? false,
    trust: flags.trust ?? false,
  };
  const result = flags.printEffectiveConfig
    ? await printEffectiveConfig(options)
    : await (await import("../run/run.ts")).run(options, terminal);
  if (!result.ok) result.error.forEach(printError);
  Deno.exitCode = result.ok
    ? result.value
    : COMMAND_ERRORS[result.error[0]?.code ?? ""] ?? LAUNCHER_ERROR;
}

const HELP = `
Everything behind the command belongs to it. Exit status: that of the command; 1 when firma
cannot start it, 2 when it is called wrongly.

Examples:
  firma run -- claude
  firma run --yes -- npm install
  firma run --posture strict --mapping npm -- sh -c 'npm ci && npm test'
`;

/** `firma run [options] [--] <command> [args...]` */
export function command(): Command {
  return new Command("run")
    .description(
      "Run a command in a sandbox that it can leave only through policy. The first launch in a\n" +
        "project writes .firma/ with policies that are yours to edit.",
    )
    .usage("[options] [--] <command> [args...]")
    .argument("<command>", "program to run")
    .argument("[args...]", "its arguments")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--profile <name>", "what the sandbox is prepared for (default: by command)")
    .option("--posture <name>", "policies of a new project (default: dev)")
    .option("--mapping <name>", "services a new project knows; repeat for several", collect)
    .option("-y, --yes", "do not ask on the first launch")
    .option("--trust", "use the configuration whatever is in it, for CI")
    .option("--print-effective-config", "print what would be in force, as JSON, and end")
    .passThroughOptions()
    .addHelpText("after", HELP)
    .action((program: string, words: string[], _flags: Flags, command: Command) =>
      act(program, words, withGlobals(command))
    );
}
