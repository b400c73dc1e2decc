import { parse } from "smol-toml";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { type CommandFile, readCommandFile } from "./rule_file.ts";
import { CommandTable } from "./table.ts";

/** Reads files of rules for commands, and refuses all where one is wrong or rules tie. */
export function commandTables(
  sources: readonly { readonly file: string; readonly text: string }[],
  others: readonly CommandFile[] = [],
): Result<CommandFile[], FirmaError[]> {
  const faults: FirmaError[] = [];
  const files: CommandFile[] = [];
  for (const { file, text } of sources) {
    let root: unknown;
    try {
      root = parse(text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
      const message = `Cannot use the rules for commands "${file}": ${reason}`;
      faults.push({ code: "COMMAND_RULE", message, at: { file } });
      continue;
    }
    const read = readCommandFile(file, root);
    if (read.ok) files.push(read.value);
    else faults.push(...read.error);
  }
  const checked = CommandTable.check([...others, ...files]);
  if (!checked.ok) faults.push(...checked.error);
  return faults.length > 0 ? err(faults) : ok(files);
}
