import { Command } from "commander";
import { dirname, join, resolve } from "../../core/path.ts";
import { checkConfigFile, type ConfigFile, readConfigFile } from "../../config/load.ts";
import {
  auditFile,
  authorityKeyFile,
  dataDir,
  type Environment,
  projectDataDir,
  stateDir,
} from "../../config/paths.ts";
import { parseToml } from "../../config/toml.ts";
import { trustState } from "../../config/trust.ts";
import { type ConfigValue, configValues, type ValueSource } from "../../config/values.ts";
import type { Json } from "../../config/value_type.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { type ConfigTarget, configTarget } from "../config_target.ts";
import { print, printError } from "../output.ts";
import { shortPath } from "../policy/sources.ts";
import { textTable } from "../policy/table.ts";
import { withGlobals } from "../with_globals.ts";

interface Flags {
  readonly config?: string;
  readonly effective?: boolean;
  readonly json?: boolean;
}

const FOUND: Readonly<Record<ConfigTarget["source"], string>> = {
  argument: "named on the command line",
  flag: "named by --config",
  environment: "named by FIRMA_CONFIG",
  directory: "found from the working directory upwards",
};

/** Where what has no default in words lies for this user, by key. */
function places(env: Environment, file: string): Readonly<Record<string, string>> {
  return {
    "authority.listen_addr": `unix://${join(stateDir(env), "authority.sock")}`,
    "authority.key_file": authorityKeyFile(env),
    "sidecar.audit.file_path": auditFile(env),
    "authority.revocation_file": resolve(projectDataDir(env, file), "revocations.txt"),
  };
}

function shown(
  file: ConfigFile,
  env: Environment,
): Result<ConfigValue[], readonly FirmaError[]> {
  const checked = checkConfigFile(file, env);
  if (!checked.ok) return checked;
  const document = parseToml(file.text, file.file);
  if (!document.ok) return err([document.error]);
  const own = places(env, file.file);
  return ok(
    configValues(document.value, dirname(file.file), env).map((each) =>
      each.source.kind === "default" && Object.hasOwn(own, each.name)
        ? { ...each, value: own[each.name] }
        : each
    ),
  );
}

function sourceText(source: ValueSource): string {
  switch (source.kind) {
    case "file":
      return `${shortPath(source.file)}${source.line === undefined ? "" : `:${source.line}`}`;
    case "environment":
      return source.variable;
    case "default":
      return "default";
  }
}

/** As TOML writes it, which for these is as JSON does. */
function valueText({ value, otherwise }: ConfigValue): string {
  if (value === undefined) return otherwise?.replaceAll("`", "") ?? "required";
  const text = (each: Json) => JSON.stringify(each);
  return Array.isArray(value) ? `[${value.map(text).join(", ")}]` : text(value);
}

function show(path: string | undefined, flags: Flags): Result<void, readonly FirmaError[]> {
  const env = Deno.env.toObject();
  const target = configTarget(path, flags.config);
  if (!target.ok) return err([target.error]);
  const file = readConfigFile(target.value.file);
  if (!file.ok) return err([file.error]);
  const all = shown(file.value, env);
  if (!all.ok) return all;
  const values = flags.effective
    ? all.value
    : all.value.filter(({ source }) => source.kind !== "default");
  const { state } = trustState(file.value, env);
  const directories = { state_dir: stateDir(env), data_dir: dataDir(env) };
  if (flags.json) {
    print(`${
      JSON.stringify({
        file: file.value.file,
        found_by: target.value.source,
        trust: state,
        ...directories,
        values: values.map(({ name, value, otherwise, source }) => ({
          key: name,
          ...(value === undefined ? { otherwise } : { value }),
          source,
        })),
      })
    }\n`);
    return ok(undefined);
  }
  const heading = [
    `file: ${file.value.file} (${FOUND[target.value.source]})`,
    `trust: ${state === "trusted" ? state : `${state}; firma run would not use it`}`,
    `state: ${directories.state_dir}`,
    `data: ${directories.data_dir}`,
  ];
  print(`${heading.map(escapeForTerminal).join("\n")}\n\n`);
  print(textTable([
    ["KEY", "FROM", "VALUE"],
    ...values.map((each) => [each.name, sourceText(each.source), valueText(each)]),
  ]));
  return ok(undefined);
}

const HELP = `
Paths are shown as they are looked for. Nothing secret stands in a configuration: keys that name
secrets name files.

Examples:
  firma config show                what the file and the environment say
  firma config show --effective    every key, with what holds where nobody said anything
`;

/** `firma config show` */
export function showCommand(): Command {
  return new Command("show")
    .description("Show what each key is set to, and by what: a line of the file or a variable.")
    .argument("[path]", "project directory or firma.toml (default: the one in force here)")
    .option("-c, --config <path>", "configuration file")
    .option("--effective", "show defaults, too")
    .option("--json", "print as a JSON object")
    .addHelpText("after", HELP)
    .action((path: string | undefined, _flags: Flags, command: Command) => {
      const result = show(path, withGlobals<Flags>(command));
      if (result.ok) return;
      result.error.forEach(printError);
      Deno.exitCode = 1;
    });
}
