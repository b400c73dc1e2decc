/**
 * Writes the tables of `docs/packs.md` from the packs.
 *
 *   deno run -A scripts/packs_doc.ts
 */
import { packNames, readPack } from "../src/config/packs.ts";
import { ACTION_CLASSES } from "../src/core/action_class.ts";
import { unwrap } from "../src/core/result.ts";
import { summariseMapping } from "../src/mapping/catalogue.ts";

export const PACKS_DOC = new URL("../docs/packs.md", import.meta.url);

const GENERATED = /(<!-- deno-fmt-ignore-start -->\n)[^]*?(<!-- deno-fmt-ignore-end -->)/;

/** `docs/packs.md` with its tables made anew. */
export function withTables(document: string): string {
  if (!GENERATED.test(document)) throw new Error("Cannot write docs/packs.md: it has no place");
  return document.replace(GENERATED, (_, start, end) => `${start}\n${tables()}\n${end}`);
}

function tables(): string {
  const packs = packNames("mapping").map((name) => {
    const file = { file: `mappings/${name}.toml`, text: unwrap(readPack("mapping", name)) };
    const summary = summariseMapping(file);
    if (!summary.ok) throw new Error(summary.error.map(({ message }) => message).join("\n"));
    return { name, ...summary.value };
  });
  const perClass = new Map<string, Map<string, number>>();
  for (const { name, operations } of packs) {
    for (const { actionClass } of operations) {
      const counts = perClass.get(actionClass) ?? new Map<string, number>();
      counts.set(name, (counts.get(name) ?? 0) + 1);
      perClass.set(actionClass, counts);
    }
  }
  const rows = ACTION_CLASSES.flatMap(({ name, parent = "", risk }) => {
    const counts = perClass.get(name);
    if (counts === undefined) return [];
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const where = [...counts].map(([pack, count]) => `${pack} ${count}`).join(", ");
    return [`| ${name} | ${parent} | ${risk} | ${all} | ${where} |`];
  });
  return [
    "| pack | covers | operations | hosts |",
    "| --- | --- | --- | --- |",
    ...packs.map(({ name, about, operations, hosts }) => {
      const covers = about.replaceAll("\n", " ").split(/\.(?: |$)/)[0];
      const places = hosts.map((host) => `\`${host}\``).join(", ");
      return `| ${name} | ${covers} | ${operations.length} | ${places} |`;
    }),
    "",
    "| class | parent | risk | operations | packs |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) {
  Deno.writeTextFileSync(PACKS_DOC, withTables(Deno.readTextFileSync(PACKS_DOC)));
}
