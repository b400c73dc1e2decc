import { Command } from "commander";
import { parseAuthorityConfig } from "../../config/authority_config.ts";
import { checkConfigFile, readConfigFile } from "../../config/load.ts";
import { operatorFiles } from "../../config/operator_files.ts";
import type { FirmaConfig } from "../../config/schema.ts";
import { setOperatorClasses } from "../../core/action_class.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import type { FirmaError } from "../../core/result.ts";
import { MappingTable } from "../../mapping/table.ts";
import { cedarModule, initCedar } from "../../policy/cedar_module.ts";
import { checkBundle } from "../../policy/check.ts";
import { addedFilterOf } from "../../run/added_filter.ts";
import { workerConfig } from "../../sidecar/settings.ts";
import { configTarget } from "../config_target.ts";
import { print, printError } from "../output.ts";
import { placed } from "../policy/diagnostics.ts";
import { readPolicies, shortPath } from "../policy/sources.ts";
import { withGlobals } from "../with_globals.ts";

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
}

const STATUS = { ok: 0, invalid: 1, unreadable: 2 } as const;

async function policyFaults(directory: string): Promise<readonly FirmaError[]> {
  const policies = await readPolicies(directory);
  if (!policies.ok) return policies.error;
  initCedar(await cedarModule());
  const { value } = policies;
  const checked = checkBundle(value.bundle);
  return checked.ok ? [] : checked.error.map((fault) => placed(fault, value));
}

function mappingFaults(config: FirmaConfig): readonly FirmaError[] {
  const { rulesPaths } = config.sidecar.mapping;
  const texts = new Map(operatorFiles(config).map(({ path, text }) => [path, text]));
  const missing = rulesPaths.filter((path) => !texts.has(path)).map((path) => ({
    code: "MAPPING_UNREADABLE",
    message: `Cannot read mapping rules "${shortPath(path)}": it is no file that can be read`,
    cure: "put the file back, or take it out of [sidecar.mapping] rules_paths",
  }));
  const files = rulesPaths.filter((path) => texts.has(path))
    .map((path) => ({ file: shortPath(path), text: texts.get(path)! }));
  const table = MappingTable.parse(files);
  return [...missing, ...(table.ok ? [] : table.error)];
}

async function systemCallFaults(config: FirmaConfig): Promise<readonly FirmaError[]> {
  const filter = await addedFilterOf(config, operatorFiles(config));
  return filter.ok ? [] : filter.error;
}

/** What stands in the way of using a configuration whose keys are right. */
async function deepFaults(config: FirmaConfig): Promise<FirmaError[]> {
  setOperatorClasses(config.actionClasses);
  const faults = [...mappingFaults(config), ...await systemCallFaults(config)];
  const worker = await workerConfig(config);
  if (!worker.ok) faults.push(worker.error);
  if (config.sidecar.authority.remote === undefined) {
    faults.push(...await policyFaults(config.authority.policyDir));
    faults.push(...await policyFaults(config.authority.issuancePolicyDir));
  }
  return faults;
}

async function faultsOf(
  path: string | undefined,
  configFlag: string | undefined,
): Promise<
  { readonly file: string; readonly status: number; readonly faults: readonly FirmaError[] }
> {
  const env = Deno.env.toObject();
  const target = configTarget(path, configFlag);
  if (!target.ok) return { file: path ?? "", status: STATUS.unreadable, faults: [target.error] };
  const read = readConfigFile(target.value.file);
  const { file } = target.value;
  if (!read.ok) return { file, status: STATUS.unreadable, faults: [read.error] };
  const config = checkConfigFile(read.value, env);
  if (!config.ok) return { file, status: STATUS.invalid, faults: config.error };
  const authority = parseAuthorityConfig(read.value, env);
  const faults = [...(authority.ok ? [] : authority.error), ...await deepFaults(config.value)];
  return { file, status: faults.length === 0 ? STATUS.ok : STATUS.invalid, faults };
}

async function validate(path: string | undefined, flags: Flags): Promise<number> {
  const { file, status, faults } = await faultsOf(path, flags.config);
  if (flags.json) {
    print(`${JSON.stringify({ file, valid: status === STATUS.ok, faults: faults.map(plain) })}\n`);
    return status;
  }
  faults.forEach(printError);
  if (file === "") return status;
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  print(`${escapeForTerminal(shortPath(file))}: ${status === STATUS.ok ? "OK" : count}\n`);
  return status;
}

/** A fault without what only a program that goes on with it needs. */
function plain({ code, message, cure, at }: FirmaError) {
  return { code, message, ...(cure && { cure }), ...(at && { at }) };
}

const HELP = `
Checks every key, what keys say together, and the policies, mappings and certificates that they
name. Whether anybody trusts the file does not matter. Exit status: 0 it can be used, 1 it cannot,
2 there is no such file or it cannot be read.

Examples:
  firma config validate
  firma config validate ../other --json
`;

/** `firma config validate` */
export function validateCommand(): Command {
  return new Command("validate")
    .description("Check a configuration and everything that it names; say all that is wrong.")
    .argument("[path]", "project directory or firma.toml (default: the one in force here)")
    .option("-c, --config <path>", "configuration file")
    .option("--json", "print the faults as a JSON object")
    .addHelpText("after", HELP)
    .action(async (path: string | undefined, _flags: Flags, command: Command) => {
      Deno.exitCode = await validate(path, withGlobals<Flags>(command));
    });
}
