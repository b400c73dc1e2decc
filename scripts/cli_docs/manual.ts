import { EXIT_STATUSES, FILES, VARIABLES } from "./facts.ts";
import { allPages, type Page, type Parameter } from "./page.ts";

/** Escapes make the lines of the source longer than this. */
const WIDTH = 64;

/** The manual page, firma(1), in the macros of man(7). */
export function manualPage(root: Page, version: string): string {
  const lines = [
    '.\\" Written by scripts/cli_docs.ts from the commands themselves.',
    `.TH FIRMA 1 "" "firma ${version}" "User Commands"`,
    ".SH NAME",
    `firma \\- ${line(lowerFirst(root.description.join(" ").replace(/\.$/, "")))}`,
    ".SH SYNOPSIS",
    ...root.subcommands.flatMap(({ usage }) => [`.B ${line(usage.trim())}`, ".br"]).slice(0, -1),
    ".SH OPTIONS",
    ...root.options.flatMap(parameter),
    ".SH COMMANDS",
    ...allPages(root).slice(1).flatMap(command),
    ".SH EXIT STATUS",
    ...EXIT_STATUSES.flatMap(([status, meaning]) => tagged(status, meaning)),
    ".SH ENVIRONMENT",
    ...VARIABLES.flatMap(([name, meaning]) => tagged(name, meaning)),
    ".SH FILES",
    ...FILES.flatMap(([path, meaning]) => tagged(path, meaning)),
    ".SH EXAMPLES",
    ...examples(root.examples),
    ".SH SEE ALSO",
    ".BR bwrap (1),",
    ".BR man (1)",
  ];
  return `${lines.join("\n")}\n`;
}

function command(page: Page): string[] {
  const { words, usage, description, parameters, options, notes, examples: lines } = page;
  return [
    `.SS ${line(words.join(" "))}`,
    ...description.flatMap(filled),
    ".PP",
    `.B ${line(usage.trim())}`,
    ...[...parameters, ...options].flatMap(parameter),
    ...notes.flatMap((note) => [".PP", ...filled(note)]),
    ...(lines.length > 0 ? [".PP", ...examples(lines)] : []),
  ];
}

function parameter({ term, text, choices, fallback, required }: Parameter): string[] {
  const facts = [
    ...(choices.length > 0 ? [`One of: ${choices.join(", ")}.`] : []),
    ...(fallback === undefined ? [] : [`Default: ${fallback}.`]),
    ...(required && term.startsWith("-") ? ["Required."] : []),
  ];
  return tagged(term, [/[.!?]$/.test(text) ? text : `${text}.`, ...facts].join(" "));
}

function tagged(tag: string, text: string): string[] {
  return [".TP", `.B ${line(tag)}`, ...filled(text)];
}

function examples(lines: readonly string[]): string[] {
  return [".nf", ...lines.map(line), ".fi"];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Text in lines of a width that people can read in the source as well. */
function filled(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map(line);
}

/** A line of text in which nothing is a request or an escape of roff. */
function line(text: string): string {
  const plain = text
    .replaceAll("\n", " ")
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll('"', "\\(dq")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha");
  return /^[.\s]/.test(plain) ? `\\&${plain}` : plain;
}
