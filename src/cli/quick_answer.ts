/**
 * Answers that need nothing but what is at hand: the parser of command lines takes longer to load
 * than everything else that these take.
 */
import { versionInfo } from "../config/version_info.ts";
import { DESCRIPTION, EXAMPLES, HELP_WIDTH, NOT_BUILT, OPTIONS } from "./about.ts";
import type { CommandEntry } from "./main.ts";
import { bold, hasColours } from "./style.ts";
import { versionText } from "./version_text.ts";

/**
 * The answer to a command line that asks for the version or for the list of commands, and for
 * nothing else; `undefined` for every other.
 */
export function quickAnswer(
  args: readonly string[],
  entries: readonly CommandEntry[],
): string | undefined {
  switch (args.join(" ")) {
    case "version":
      return versionText(false);
    case "version --json":
      return versionText(true);
    case "--version":
      return `${versionInfo().version}\n`;
    case "--help":
    case "-h":
    case "help":
      return isWide() ? overview(entries, hasColours(Deno.stdout)) : undefined;
  }
}

/** Whether no line would have to be broken. */
function isWide(): boolean {
  try {
    return Deno.consoleSize().columns >= HELP_WIDTH;
  } catch {
    return true; // not a terminal
  }
}

/** The help of the program as a whole, as the parser would write it. */
export function overview(entries: readonly CommandEntry[], colours: boolean): string {
  const options = Object.values(OPTIONS);
  const commands = (isBuilt: boolean) =>
    entries.filter(({ load }) => (load !== undefined) === isBuilt)
      .map(({ name, summary }) => [name, summary] as const);
  const help = ["help [command]", "display help for command"] as const;
  const groups = [
    ["Options:", options],
    ["Commands:", [...commands(true), help]],
    [NOT_BUILT, commands(false)],
  ] as const;
  const width = Math.max(...groups.flatMap(([, rows]) => rows.map(([term]) => term.length)));
  return [
    `${bold("Usage:", colours)} firma [options] [command]\n`,
    `\n${DESCRIPTION}\n`,
    ...groups.filter(([, rows]) => rows.length > 0).map(([title, rows]) =>
      `\n${bold(title, colours)}\n${
        rows.map(([term, text]) => `  ${term.padEnd(width)}  ${text}\n`).join("")
      }`
    ),
    `${EXAMPLES}\n`,
  ].join("");
}
