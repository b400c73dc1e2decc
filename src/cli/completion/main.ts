/**
 * `__complete <words>`: what may come next on a command line, for the completions of shells. The
 * first line says of what kind it is, each other one is a word, a tab, and what it is.
 */
import { COMMANDS } from "../main.ts";
import { print } from "../output.ts";
import { buildProgram, commandName } from "../program.ts";
import { complete } from "./complete.ts";

/** Prints what may stand in the place of the last word. */
export async function main(words: string[]): Promise<number> {
  const named = commandName(words.slice(0, -1));
  const program = await buildProgram(COMMANDS, (name) => name === named);
  const { kind, candidates } = await complete(program, words);
  print(`${kind}\n${candidates.map(({ value, text }) => `${value}\t${text}\n`).join("")}`);
  return 0;
}
