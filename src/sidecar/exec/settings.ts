import type { FirmaConfig } from "../../config/schema.ts";
import type { CommandFile } from "../../commands/rule_file.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { ExecConfig } from "./decide.ts";

/** What the data plane has to know of the configuration to decide executions. */
export async function readExecConfig({ sidecar }: FirmaConfig): Promise<Result<ExecConfig>> {
  const { rulesPaths, defaultAction, allowedExecutables } = sidecar.localExec;
  const commands = rulesPaths.length === 0 ? ok([]) : await readCommands(rulesPaths);
  if (!commands.ok) return commands;
  return ok({ commands: commands.value, defaultAction, allowedExecutables });
}

async function readCommands(paths: readonly string[]): Promise<Result<readonly CommandFile[]>> {
  // Most projects have none, and a start waits for what this loads.
  const [{ commandTables }, { SHIPPED_COMMANDS }] = await Promise.all([
    import("../../commands/build.ts"),
    import("../../commands/shipped.ts"),
  ]);
  const sources: { file: string; text: string }[] = [];
  for (const file of paths) {
    try {
      sources.push({ file, text: await Deno.readTextFile(file) });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return err<FirmaError>({
        code: "COMMAND_RULES_UNREADABLE",
        message: `Cannot read rules for commands "${file}": ${reason}`,
        cure: "put the file back, or take it out of [sidecar.local_exec] rules_paths",
        at: { file },
      });
    }
  }
  const built = commandTables(sources, SHIPPED_COMMANDS);
  return built.ok ? built : err(built.error[0]!);
}
