import { Command } from "commander";
import { programFile } from "../config/program_file.ts";
import { print } from "./output.ts";

const FROM_SOURCE = `
This firma runs from source: docs/dependencies.md lists what it uses.`;

const HELP = `
Examples:
  firma licenses
  firma licenses | grep -A 20 '^hono '
`;

/** `firma licenses` */
export function command(): Command {
  return new Command("licenses")
    .description("Print the licenses of firma and of everything in its executable.")
    .addHelpText("after", HELP)
    .action(() => print(licenses()));
}

function licenses(): string {
  if (!Deno.build.standalone) return read("LICENSE") + FROM_SOURCE;
  return read("dist/licenses.txt"); // scripts/build writes it
}

function read(path: string): string {
  return Deno.readTextFileSync(programFile(path)).trimEnd();
}
