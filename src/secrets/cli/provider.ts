import { PROGRAM_PRESETS, type ProgramPreset } from "./presets.ts";
import { type CommandVerdict, judgeCommand } from "./store_command.ts";

/** A store of secrets that is read by a program of the operator's. */
export interface CliSecretProvider {
  readonly id: string;
  readonly preset: ProgramPreset;
  /** Absolute, on the host. */
  readonly program: string;
  /** Patterns for what may be read; empty: everything. */
  readonly names: readonly string[];
  /** Where its values may go in the place of their placeholders; over TLS alone. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** Variables that the program needs, besides those that every helper has. */
  readonly envPassthrough: readonly string[];
  readonly timeoutMs: number;
  /** More output than this passes nothing on; bytes. */
  readonly maxOutput: number;
}

/** What becomes of a command of a provider's program, by its arguments. */
export function providerVerdict(
  { preset, names }: Pick<CliSecretProvider, "preset" | "names">,
  args: readonly string[],
): CommandVerdict {
  return judgeCommand(PROGRAM_PRESETS[preset], names, args);
}
