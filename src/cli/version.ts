import { Command } from "commander";
import { print } from "./output.ts";
import { versionText } from "./version_text.ts";

const HELP = `
Examples:
  firma version
  firma version --json | jq -r .cedar
`;

/** `firma version [--json]` */
export function command(): Command {
  return new Command("version")
    .description("Print the version of firma and of what it is built on.")
    .option("--json", "print a JSON object")
    .addHelpText("after", HELP)
    .action((options: { json?: boolean }) => print(versionText(options.json ?? false)));
}
