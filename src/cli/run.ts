import { Command } from "commander";
import type { RunFlags } from "./run_flags.ts";
import { withGlobals } from "./with_globals.ts";

function collect(value: string, previous: string[] | undefined): string[] {
  return [...previous ?? [], value];
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
    .option("--capability-file <path>", "run with the token in this file, and ask for no other")
    .option("-y, --yes", "do not ask on the first launch")
    .option("--trust", "use the configuration whatever is in it, for CI")
    .option("--print-effective-config", "print what would be in force, as JSON, and end")
    .passThroughOptions()
    .addHelpText("after", HELP)
    .action(async (program: string, words: string[], _flags: RunFlags, command: Command) => {
      const { runLine } = await import("./run_action.ts");
      Deno.exitCode = await runLine({ program, words, flags: withGlobals(command) });
    });
}
