/**
 * Writes `docs/cli.md` and `docs/firma.1` from the commands themselves.
 *
 *   deno run -A scripts/cli_docs.ts
 */
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../src/cli/main.ts";
import { buildProgram } from "../src/cli/program.ts";
import { VERSION } from "../src/config/version.ts";
import { manualPage } from "./cli_docs/manual.ts";
import { markdownReference } from "./cli_docs/markdown.ts";
import { pageOf } from "./cli_docs/page.ts";

/** Every document that is written, with what is to stand there. */
export async function documents(): Promise<{ readonly file: URL; readonly text: string }[]> {
  const built = COMMANDS.filter(({ load }) => load !== undefined);
  const root = pageOf(await buildProgram(built));
  return [
    {
      file: new URL("../docs/cli.md", import.meta.url),
      text: await formatted(markdownReference(root)),
    },
    { file: new URL("../docs/firma.1", import.meta.url), text: manualPage(root, VERSION) },
  ];
}

/** Markdown as `deno fmt` has it. */
async function formatted(markdown: string): Promise<string> {
  const formatter = new Deno.Command(Deno.execPath(), {
    args: [
      "fmt",
      "--config",
      fileURLToPath(new URL("../deno.json", import.meta.url)),
      "--ext",
      "md",
      "-",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = formatter.stdin.getWriter();
  await input.write(new TextEncoder().encode(markdown));
  await input.close();
  const { success, stdout } = await formatter.output();
  if (!success) throw new Error("Cannot format the reference");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  for (const { file, text } of await documents()) await Deno.writeTextFile(file, text);
}
