import type { Command } from "commander";

/** The options of a command, and those of the program where the command was not given its own. */
export function withGlobals<T extends object>(command: Command): T {
  return { ...command.optsWithGlobals(), ...command.opts() } as T;
}
