import assert from "node:assert/strict";
import { documents } from "../../scripts/cli_docs.ts";
import { VARIABLES } from "../../scripts/cli_docs/facts.ts";
import { manualPage } from "../../scripts/cli_docs/manual.ts";
import type { Page } from "../../scripts/cli_docs/page.ts";

const RUN = "run: scripts/deno run -A --unstable-net scripts/cli_docs.ts";
const MANUAL = new URL("../../docs/firma.1", import.meta.url);

async function mandoc(args: readonly string[], page: string): Promise<string> {
  const child = new Deno.Command("mandoc", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(page));
  await input.close();
  const { stdout, stderr } = await child.output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** Without the overstriking that stands for bold and underlined. */
function plain(rendered: string): string {
  // deno-lint-ignore no-control-regex -- a step back is what this looks for
  return rendered.replaceAll(/.\x08/g, "").replaceAll(/\s+/g, " ");
}

Deno.test("docs/cli.md and docs/firma.1 say what the commands say", async () => {
  for (const { file, text } of await documents()) {
    assert.equal(Deno.readTextFileSync(file), text, RUN);
  }
});

Deno.test("docs/firma.1 is a manual page without a flaw, and renders", async () => {
  const page = Deno.readTextFileSync(MANUAL);
  const flaws = (await mandoc(["-T", "lint", "-W", "warning"], page)).split("\n")
    .filter((line) => line !== "" && !line.includes("missing date")); // it would never be right
  assert.deepEqual(flaws, []);
  const text = plain(await mandoc(["-T", "utf8"], page));
  assert.match(text, /firma - a boundary that every outbound call/);
  assert.match(text, /firma run \[options\] \[--\] <command> \[args\.\.\.\]/);
  assert.match(text, /--timeout-ms <n>/);
});

Deno.test("manualPage() takes no text for a request or an escape", async () => {
  const texts = [
    ".so /etc/passwd",
    "'ds x y",
    "\\fBbold\\n(.x",
    "a\n.ex",
    '.\\" gone',
    "--flag ~ ^ `",
  ];
  const page: Page = {
    words: ["firma"],
    usage: "firma",
    summary: "x",
    description: ["x"],
    parameters: [],
    options: texts.map((text) => ({ term: text, text, choices: [], required: false })),
    notes: [],
    examples: texts,
    subcommands: [],
  };
  const rendered = plain(await mandoc(["-T", "utf8"], manualPage(page, "0")));
  for (const text of texts) {
    assert.equal(rendered.split(text.replaceAll(/\s+/g, " ")).length - 1, 3, text);
  }
});

Deno.test("every variable of firma's own that the program reads is documented", () => {
  const read = new Set<string>();
  const visit = (directory: URL) => {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      const path = new URL(isDirectory ? `${name}/` : name, directory);
      if (isDirectory) visit(path);
      else {
        const text = Deno.readTextFileSync(path);
        for (const [, name] of text.matchAll(/\benv\w*\.(FIRMA_\w+)|VARIABLE = "(FIRMA_\w+)"/gi)) {
          if (name) read.add(name);
        }
      }
    }
  };
  visit(new URL("../../src/", import.meta.url));
  assert.ok(read.has("FIRMA_STATE_DIR"));
  const documented = VARIABLES.map(([name]) => name.replace("…", ""));
  const missing = [...read].filter((name) =>
    !documented.includes(name) && !name.startsWith("FIRMA_AUTHORITY_")
  );
  assert.deepEqual(missing, []);
});
