import { Command, Option } from "commander";
import type { RunFlags } from "./run_flags.ts";
import { withGlobals } from "./with_globals.ts";

function collect(value: string, previous: string[] | undefined): string[] {
  return [...previous ?? [], value];
}

const HELP = `
Everything behind the command belongs to it. Exit status: that of the command; 1 when firma
cannot start it, 2 when it is called wrongly.

The command sees and writes the repository that it is started in, from its top on, and nowhere else;
a directory without one by itself. --workspace . opens the directory here alone.

A Sidecar that "firma sidecar start" keeps running is joined where it serves the same configuration;
otherwise the run brings one of its own, and ends it.

Examples:
  firma run -- claude
  firma run --yes -- npm install
  firma run --allow-write .vscode -- claude
  firma run --posture strict --mapping npm -- sh -c 'npm ci && npm test'
  firma run --no-autostart -- claude      join the Sidecar that runs, or fail
  firma run --sidecar local -- claude     bring one, whatever runs
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
    .option("--sidecar <where>", "local: one of its own; unix:///path: the one listening there")
    .option("--no-autostart", "fail where there is no Sidecar to join")
    .addOption(new Option("--autostart").hideHelp())
    .option("--sidecar-startup-timeout-secs <n>", "how long a Sidecar may take to start")
    .option("--authority <where>", "local, or the URL of an Authority, before the configured one")
    .option("--authority-profile <name>", "kind of a local Authority; there is only developer")
    .option("--agent <name>", "run as this agent of the Authority's registry")
    .option("--backend <name>", "what builds the sandbox; there is only bwrap")
    .option("--monitor", "let out what policies deny, and record it")
    .option("--state-dir <path>", "directory of running processes (default: FIRMA_STATE_DIR)")
    .option("--allow-write <path>", "open a sealed path of the workspace; repeat", collect)
    .option("--workspace <path>", "what is opened to the command (default: the repository here)")
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
