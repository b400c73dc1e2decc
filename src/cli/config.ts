import { Command, Option } from "commander";
import { MODES } from "../config/setup/answers.ts";
import { collect } from "./authority/flags.ts";
import type { SetUpFlags } from "./config/set_up_flags.ts";
import { showCommand } from "./config/show.ts";
import { validateCommand } from "./config/validate.ts";
import { examples } from "./examples.ts";
import { printError } from "./output.ts";
import { withGlobals } from "./with_globals.ts";

const HELP = `
Without flags it asks. What is there already is the default of each question, and stays unless you
say otherwise: comments and keys of your own in firma.toml, policies and mappings with edits.
${
  examples(
    "firma config                                 asks, shows what it would write, writes it",
    "firma config --yes --profile claude-code     the same without questions",
    "firma config --posture strict --dry-run      shows what another posture would change",
    "firma config --extra-hosts api.example.com   lets the agent talk to another host",
    "firma config --mode authority --yes          an Authority for many Sidecars",
  )
}`;

/** `firma config [show | validate]` */
export function command(): Command {
  return new Command("config")
    .description("Write a configuration, or change the one that is there.")
    .helpCommand(false)
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .addOption(new Option("--mode <mode>", "what it is for").choices(MODES))
    .option("--profile <name>", "what the sandbox is prepared for (default: by command)")
    .option("--agent-id <id>", "the agent (default: a new one)")
    .option("--posture <name>", "what is permitted by default (default: dev)")
    .option("--mapping <name>", "services the agent may use; repeat for several", collect)
    .option("--extra-hosts <hosts>", "further hosts, with commas between them")
    .option("--workspace <directory>", "project (default: the working directory)")
    .option("-o, --output-dir <directory>", "where to write (default: .firma in the project)")
    .option("--state-dir <directory>", "where the socket of an Authority is to lie")
    .option("--authority-listen <address>", "where an Authority listens (default: 127.0.0.1:9443)")
    .option("--authority-url <url>", "the Authority of an agent: https://… or unix:///…")
    .option("--authority-ca-cert <file>", "roots that its certificate verifies under")
    .option("--authority-pub-key <file>", "its public key")
    .option("--authority-client-cert <file>", "certificate of this Sidecar")
    .option("--authority-client-key <file>", "key of that certificate")
    .option("-y, --yes", "ask nothing")
    .option("--force", "replace policies and mappings that have edits, and certificates")
    .option("--dry-run", "show what would change, and write nothing")
    .option("--list-templates", "list postures, mappings and profiles")
    .addHelpText("after", HELP)
    .addCommand(showCommand())
    .addCommand(validateCommand())
    .action(async (_flags: SetUpFlags, command: Command) => {
      const flags = withGlobals<SetUpFlags>(command);
      if (flags.listTemplates) {
        const { listTemplates } = await import("./config/templates.ts");
        return listTemplates();
      }
      const { setUp } = await import("./config/set_up.ts");
      const result = await setUp(flags);
      if (result.ok) return;
      result.error.forEach(printError);
      Deno.exitCode = 1;
    });
}
