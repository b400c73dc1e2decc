import { EXIT_STATUSES, FILES, VARIABLES } from "./facts.ts";
import { allPages, type Page, type Parameter } from "./page.ts";

/** The reference of the command line. */
export function markdownReference(root: Page): string {
  const pages = allPages(root);
  const lines = [
    "# Command line",
    "",
    "<!-- Written by scripts/cli_docs.ts from the commands themselves. -->",
    "",
    ...root.description.flatMap((text) => [text, ""]),
    "`firma help COMMAND` and `--help` say the same as this page. `firma completions` makes a shell",
    "complete these commands; `man docs/firma.1` shows them as a manual page.",
    "",
    ...pages.slice(1).map(({ words, summary }) => {
      const indent = "  ".repeat(words.length - 2);
      return `${indent}- [\`${words.join(" ")}\`](#${words.join("-")}): ${text(summary)}`;
    }),
    "",
    ...pages.flatMap(section),
    ...table("Exit status", ["status", "meaning"], EXIT_STATUSES),
    ...table("Environment", ["variable", "meaning"], VARIABLES),
    ...table("Files", ["path", "what it is"], FILES),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function section(page: Page): string[] {
  const { words, usage, description, parameters, options, notes, examples } = page;
  const isRoot = words.length === 1;
  return [
    `## ${words.join(" ")}`,
    "",
    ...(isRoot ? [] : description.flatMap((each) => [text(each), ""])),
    "```",
    usage.trim(),
    "```",
    "",
    ...[...parameters, ...options].map(item),
    ...(parameters.length + options.length > 0 ? [""] : []),
    ...notes.flatMap((note) => [text(note), ""]),
    ...(examples.length > 0 ? ["```sh", ...examples, "```", ""] : []),
  ];
}

function item({ term, text: about, choices, fallback, required }: Parameter): string {
  const facts = [
    ...(choices.length > 0 ? [`one of ${choices.map((each) => `\`${each}\``).join(", ")}`] : []),
    ...(fallback === undefined ? [] : [`default: \`${fallback}\``]),
    ...(required && term.startsWith("-") ? ["required"] : []),
  ];
  return `- \`${term}\`: ${text(about)}${facts.length > 0 ? ` (${facts.join("; ")})` : ""}`;
}

function table(
  title: string,
  head: readonly [string, string],
  rows: readonly (readonly [string, string])[],
): string[] {
  const cells = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [
    `## ${title}`,
    "",
    cells(head),
    cells(head.map(() => "---")),
    ...rows.map(([name, meaning]) => cells([`\`${name}\``, text(meaning)])),
    "",
  ];
}

/** Text in which nothing is markup. */
function text(plain: string): string {
  return plain.replaceAll(/[\\<>*_[\]|]/g, "\\$&");
}
