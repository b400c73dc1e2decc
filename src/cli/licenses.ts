import { Command } from "commander";
import { print } from "./output.ts";

/** scripts/build writes the first; from source only the second is there. */
const TEXTS = ["../../dist/licenses.txt", "../../LICENSE"];

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
  const [all, own] = TEXTS.map((path) => new URL(path, import.meta.url));
  if (!Deno.build.standalone) return Deno.readTextFileSync(own!).trimEnd() + FROM_SOURCE;
  return Deno.readTextFileSync(all!).trimEnd();
}
