import { Command } from "commander";
import { resolve } from "../../core/path.ts";
import { readConfigFile } from "../../config/load.ts";
import type { FirmaConfig } from "../../config/schema.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { MappingTable } from "../../mapping/table.ts";
import { cedarModule, initCedar } from "../../policy/cedar_module.ts";
import { checkBundle } from "../../policy/check.ts";
import { print, printError } from "../output.ts";
import { useProjectClasses } from "../project_classes.ts";
import { withGlobals } from "../with_globals.ts";
import { printDiagnostic, printPolicyFaults } from "./diagnostics.ts";
import { readPolicies, shortPath } from "./sources.ts";
import { STATUS } from "./status.ts";

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
}

/** What became of one file or directory. */
interface Validated {
  readonly path: string;
  readonly status: number;
  readonly summary: string;
}

async function validatePolicies(path: string): Promise<Validated> {
  const read = await readPolicies(path);
  if (!read.ok) {
    read.error.forEach(printError);
    return { path, status: STATUS.badInput, summary: "unreadable" };
  }
  const checked = checkBundle(read.value.bundle);
  if (!checked.ok) {
    printPolicyFaults(checked.error, "error", read.value);
    return { path, status: STATUS.failed, summary: "invalid" };
  }
  const { policies, warnings } = checked.value;
  printPolicyFaults(warnings, "warning", read.value);
  const doubts = warnings.length > 0 ? `, ${count(warnings.length, "warning")}` : "";
  return { path, status: STATUS.ok, summary: `OK, ${count(policies, "policy")}${doubts}` };
}

function validateMapping(path: string): Validated {
  const read = readConfigFile(path);
  if (!read.ok) {
    printError(read.error);
    return { path, status: STATUS.badInput, summary: "unreadable" };
  }
  const { text } = read.value;
  const table = MappingTable.parse([{ file: shortPath(path), text }]);
  if (table.ok) {
    return { path, status: STATUS.ok, summary: `OK, ${count(table.value.size, "rule")}` };
  }
  for (const error of table.error) printDiagnostic(error, "error", text);
  return { path, status: STATUS.failed, summary: "invalid" };
}

function count(number: number, what: string): string {
  if (number === 1) return `1 ${what}`;
  return `${number} ${what.endsWith("y") ? `${what.slice(0, -1)}ies` : `${what}s`}`;
}

/** What is in force in a project, each once. */
function pathsOf({ authority, sidecar }: FirmaConfig): string[] {
  const { policyDir, issuancePolicyDir } = authority;
  return [...new Set([policyDir, issuancePolicyDir, ...sidecar.mapping.rulesPaths])];
}

async function validate(named: readonly string[], flags: Flags): Promise<number> {
  const project = useProjectClasses(flags.config);
  if (!project.ok) {
    project.error.forEach(printError);
    return STATUS.badInput;
  }
  const paths = named.length > 0 || !project.value ? named : pathsOf(project.value);
  if (paths.length === 0) {
    printError({
      code: "NOTHING_TO_VALIDATE",
      message: "Cannot check the policies of a project: there is none here",
      cure: "name files or directories, or change into the project",
    });
    return STATUS.badInput;
  }
  initCedar(await cedarModule());
  const done: Validated[] = [];
  for (const path of paths.map((path) => resolve(path))) {
    done.push(path.endsWith(".toml") ? validateMapping(path) : await validatePolicies(path));
    const { summary } = done.at(-1)!;
    if (!flags.json) print(`${escapeForTerminal(shortPath(path))}: ${summary}\n`);
  }
  if (flags.json) {
    const files = done.map(({ path, status }) => ({ file: shortPath(path), valid: status === 0 }));
    print(`${JSON.stringify({ files })}\n`);
  }
  return Math.max(...done.map(({ status }) => status));
}

const HELP = `
A directory is checked as the Authority loads it: all its .cedar files together. A .toml file is
checked as a mapping. Action classes that the project defines are known. Exit status: 0 all are
valid, 1 one is not, 2 one cannot be read.

Examples:
  firma policy validate
  firma policy validate .firma/policies
  firma policy validate packs/postures/*.cedar
  firma policy validate .firma/mappings/custom.toml
`;

/** `firma policy validate [FILE...]` */
export function validateCommand(): Command {
  return new Command("validate")
    .description("Check policies and mappings as strictly as a Sidecar that loads them.")
    .argument(
      "[file...]",
      "policy files, directories of them, or mappings (default: the project's)",
    )
    .option("-c, --config <path>", "configuration whose action classes count")
    .option("--json", "print which files are valid as a JSON object")
    .addHelpText("after", HELP)
    .action(async (paths: string[], _flags: Flags, command: Command) => {
      Deno.exitCode = await validate(paths, withGlobals<Flags>(command));
    });
}
