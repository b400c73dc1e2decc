import type { FirmaConfig } from "../../config/schema.ts";
import type { OperatorFile } from "../../config/operator_files.ts";
import { shellWord } from "../../core/shell.ts";
import type { MappingTable } from "../../mapping/table.ts";
import type { FirmaError, Result } from "../../core/result.ts";
import type { Check } from "../check.ts";
import { editCommand } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";

/** Whether the mapping rules of the project can be read, and do not contradict each other. */
export const mappingsCheck: Check = {
  category: "mappings",
  async run(world) {
    const project = world.project();
    if (project.kind !== "loaded") return [fine("none here")];
    const { config, files, file } = project;
    const missing = unreadable(config, files).map((path): Finding => ({
      status: "fail",
      reason: `Cannot read mapping rules "${path}"`,
      cure: editCommand(file.file),
    }));
    const table = await readTable(files);
    if (table.ok) return [fine(`${table.value.size} rules`), ...missing];
    const faults = table.error.map(({ message, at }): Finding => ({
      status: "fail",
      reason: message,
      ...(at && { detail: [at.file, at.line, at.column].filter(Boolean).join(":") }),
      cure: at ? `firma policy validate ${shellWord(at.file)}` : editCommand(file.file),
    }));
    return [...missing, ...faults];
  },
};

/** The mapping files that the configuration names and that were not read with it. */
function unreadable(config: FirmaConfig, files: readonly OperatorFile[]): string[] {
  const read = new Set(files.map(({ path }) => path));
  return config.sidecar.mapping.rulesPaths.filter((path) => !read.has(path));
}

/** The rules of the mapping files among `files`. */
export async function readTable(
  files: readonly OperatorFile[],
): Promise<Result<MappingTable, FirmaError[]>> {
  const { MappingTable } = await import("../../mapping/table.ts");
  return MappingTable.parse(
    files.filter(({ kind }) => kind === "mapping").map(({ path, text }) => ({ file: path, text })),
  );
}
