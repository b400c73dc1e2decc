import { PROFILES } from "../../sandbox/profiles.ts";
import { bold, hasColours } from "../style.ts";
import { print } from "../output.ts";
import { printCatalogue } from "../policy/list.ts";
import { textTable } from "../policy/table.ts";

/** Prints what a configuration can be made of. */
export function listTemplates(): void {
  printCatalogue();
  print(`\n${bold("Profiles: what the sandbox is prepared for", hasColours(Deno.stdout))}\n`);
  print(textTable([
    ["NAME", "FOR"],
    ...PROFILES.map(({ id, commands }) => [id, commands.join(", ") || "any program"]),
  ]));
}
