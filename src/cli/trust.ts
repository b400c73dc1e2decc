import { Command } from "commander";
import { describeConfig } from "../config/describe.ts";
import { checkConfigFile, readConfigFile } from "../config/load.ts";
import { operatorFiles } from "../config/operator_files.ts";
import { forgetTrust, recordTrust, trustRecords, trustState } from "../config/trust.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { configTarget } from "./config_target.ts";
import { print, printError } from "./output.ts";
import { withGlobals } from "./with_globals.ts";

interface Flags {
  readonly config?: string;
  readonly list?: boolean;
  readonly remove?: boolean;
}

function line(text: string): void {
  print(`${escapeForTerminal(text)}\n`);
}

function trust(path: string): Result<void, readonly FirmaError[]> {
  const env = Deno.env.toObject();
  const file = readConfigFile(path);
  if (!file.ok) return err([file.error]);
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return config;
  const files = operatorFiles(config.value);
  const before = trustState(file.value, env).state;
  const recorded = recordTrust(file.value, files, "command", env);
  if (!recorded.ok) return err([recorded.error]);
  line(`${before === "trusted" ? "Already trusted" : "Trusted"}: ${file.value.file}`);
  for (const text of describeConfig(config.value, files)) line(`  ${text}`);
  return ok(undefined);
}

function remove(path: string): Result<void, readonly FirmaError[]> {
  const file = readConfigFile(path);
  const real = file.ok ? file.value.file : path;
  if (forgetTrust(real, Deno.env.toObject())) {
    line(`No longer trusted: ${real}`);
    return ok(undefined);
  }
  return err([{
    code: "NOT_TRUSTED",
    message: `Cannot take trust from "${real}": it is not trusted`,
    cure: "firma trust --list",
  }]);
}

function act(path: string | undefined, flags: Flags): void {
  if (flags.list) {
    for (const record of trustRecords(Deno.env.toObject())) line(record.path);
    return;
  }
  const found = configTarget(path, flags.config);
  const result = !found.ok
    ? err([found.error])
    : flags.remove
    ? remove(found.value.file)
    : trust(found.value.file);
  if (result.ok) return;
  result.error.forEach(printError);
  Deno.exitCode = 1;
}

const HELP = `
A cloned repository may bring a .firma/ of its own. firma uses it only after you have read it and
said so here; when its firma.toml changes, you are asked to say so again.

Examples:
  firma trust                trust the configuration in force here
  firma trust ../other       trust the one of another project
  firma trust --remove       take it back
`;

/** `firma trust [path]` */
export function command(): Command {
  return new Command("trust")
    .description("Trust a configuration exactly as it is now.")
    .argument("[path]", "project directory or firma.toml (default: the one in force here)")
    .option("-c, --config <path>", "configuration file")
    .option("--list", "list what is trusted")
    .option("--remove", "take trust back")
    .addHelpText("after", HELP)
    .action((path: string | undefined, _flags: Flags, command: Command) =>
      act(path, withGlobals<Flags>(command))
    );
}
