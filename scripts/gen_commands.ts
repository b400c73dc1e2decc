/** Puts the rules of `packs/commands` into `packs/tables/commands.json`, which starts read faster. */
import { commandTables } from "../src/commands/build.ts";

const folder = new URL("../packs/commands/", import.meta.url);
const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const built = commandTables(
  files.map((name) => ({ file: name, text: Deno.readTextFileSync(new URL(name, folder)) })),
);
if (!built.ok) {
  for (const { message } of built.error) console.error(message);
  Deno.exit(1);
}
Deno.writeTextFileSync(
  new URL("../packs/tables/commands.json", import.meta.url),
  `${JSON.stringify(built.value)}\n`,
);
